"""What a command needs before its imports; in a program that merely imports them, nothing."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def prepare() -> None:
    """See each line. `command.command_line` takes over where the command itself begins."""
    name = Path(sys.argv[0] if sys.argv else "").name
    if not name.startswith("wn-"):
        return
    # Imports take a moment: a Ctrl-C in them ends the command without a traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # NumPy's products of a stream are small. Threads of its library would not make them faster, but
    # take the core that another thread of the engine, or another stream, is on.
    if name == "wn-run":
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
