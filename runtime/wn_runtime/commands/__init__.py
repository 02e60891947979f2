"""wn-run, wn-inspect and wn-doctor, and what every command shares."""

import signal as _signal
import sys as _sys
from pathlib import Path as _Path

# Imports take a moment. A Ctrl-C in them ends a command without a traceback; in a program that
# merely imports this nothing changes. `command.command_line` takes over.
if (
    _Path(_sys.argv[0] if _sys.argv else "").name.startswith("wn-")
    and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
):
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
