"""How this program was called, for the first line of what it printed."""

from __future__ import annotations

import sys
from pathlib import Path


def invocation() -> str:
    """`python -m bench.native --seconds 1`."""
    return " ".join((f"python -m bench.{Path(sys.argv[0]).stem}", *sys.argv[1:]))
