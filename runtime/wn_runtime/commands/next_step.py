"""The last line of a command that has a natural next one: what to type.

    next     wn-run digits

Not where stdout is data, and not where only its user can know.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # wn-doctor uses this where NumPy cannot be imported
    from wn_runtime.model.manifest import Manifest


BEGIN = "next "
"""Of such a line; -q leaves it out."""


def line(*words: object) -> str:
    """The words as a shell takes them; capitals (`FILE.npy`) stand for what the user has."""
    return f"next     {' '.join(shlex.quote(str(word)) for word in words)}"


def to_run(model: Path, manifest: Manifest, *more: str) -> str:
    """wn-run of a model directory, or of a file in it, with what it must be given to be heard."""
    return line("wn-run", model, *more) + _asked(manifest)


def _asked(manifest: Manifest) -> str:
    from wn_runtime.conditioning.timing import Timing

    speech = manifest.speech
    if speech is not None:
        several = speech.speaker == "speaker"
        return ' --text "…"' + (f" --speaker {shlex.quote(speech.speakers[0])}" if several else "")
    framed = Timing.of(manifest.spec.conditioning).frame_channels
    return " --frames FILE.npy" if framed else ""
