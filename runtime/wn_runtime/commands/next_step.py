"""The last line of a command that has a natural next one: what to type.

    next     wn-run digits

Not where stdout is data, and not where only its user can know.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # wn-doctor uses this where NumPy cannot be imported
    from wn_runtime.model.spec import ModelSpec


def line(*words: object) -> str:
    """The words as a shell takes them; capitals (`FILE.npy`) stand for what the user has."""
    return f"next     {' '.join(shlex.quote(str(word)) for word in words)}"


def to_run(model: Path, spec: ModelSpec, *more: str) -> str:
    """wn-run of a model directory, with all that it cannot do without."""
    from wn_runtime.conditioning.timing import Timing

    framed = ("--frames", "FILE.npy") if Timing.of(spec.conditioning).frame_channels else ()
    return line("wn-run", model, *more, *framed)
