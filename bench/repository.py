"""The checkout, and how a program of bench/ was called in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def invocation() -> str:
    """`python -m bench.native.speed --seconds 1`: the first line of what a program prints."""
    program = Path(os.path.relpath(sys.argv[0], ROOT)).with_suffix("")
    return " ".join((f"python -m {'.'.join(program.parts)}", *sys.argv[1:]))
