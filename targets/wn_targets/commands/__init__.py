"""wn-targets, as far as it needs neither training nor export."""

import wn_runtime.commands  # noqa: F401  # first: from here on a Ctrl-C is quiet
