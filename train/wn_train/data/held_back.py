"""A recording that stands alone: its end is held back, as one file in twenty is of many.

recording  |-------------------------------------|----|
            train                                 valid
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from wn_runtime.errors import WavestepError
from wn_train.data.audio import Utterance
from wn_train.data.corpus import METADATA, UNSAID, VALID_SHARE

LEAST = 10.0
"""Seconds that such a recording must have."""
LEAST_HELD = 1.0
"""Seconds of it that are held back, at the least; else one in `VALID_SHARE`."""


def cut(
    utterances: Sequence[Utterance], rate: int, hop: int, say: Callable[[str], None]
) -> list[Utterance]:
    """Each utterance whose split nobody says as two, cut between frames; `say` is told of it.

    rate: Hz; hop: samples of a frame, 1 without frames. Raises WavestepError for one too short.
    """
    found: list[Utterance] = []
    for utterance in utterances:
        found += (
            _cut(utterance, rate, hop, say) if utterance.recording.split == UNSAID else [utterance]
        )
    return found


def _cut(
    utterance: Utterance, rate: int, hop: int, say: Callable[[str], None]
) -> tuple[Utterance, Utterance]:
    total, path = len(utterance.samples), utterance.recording.path
    if total < LEAST * rate:
        raise WavestepError(
            f"{path} has {total / rate:.1f} s and none beside it, of which the end is held back "
            f"from {LEAST:g} s on; add recordings, or list some as valid in {METADATA}"
        )
    held = max(total // VALID_SHARE, round(LEAST_HELD * rate))
    at = (total - held) // hop * hop
    say(f"{path}: its last {(total - at) / rate:.1f} s are held back")
    return _part(utterance, "train", slice(at), slice(at // hop)), _part(
        utterance, "valid", slice(at, None), slice(at // hop, None)
    )


def _part(utterance: Utterance, split: str, samples: slice, frames: slice) -> Utterance:
    return dataclasses.replace(
        utterance,
        recording=dataclasses.replace(utterance.recording, split=split),
        samples=utterance.samples[samples],
        frames=None if utterance.frames is None else utterance.frames[frames],
    )
