"""wn-export, wn-import, wn-parity and wn-bench."""

import wn_runtime.commands  # noqa: F401  # first: from here on a Ctrl-C is quiet
