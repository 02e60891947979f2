"""wn-export, wn-import, wn-parity, wn-bench, wn-inspect and wn-targets."""

import wn_runtime.commands  # noqa: F401  # first: from here on a Ctrl-C is quiet
