"""The held-back audio of a checkpoint: spread over the split, of a limited length, with frames."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.models import specs
from tests.train.framed import Framed
from wn_runtime.conditioning.context_stack import ContextStack
from wn_train.data.audio import Utterance
from wn_train.data.clips import CLIP_SAMPLES, CLIPS, MOST_CONTEXT, choose_clips
from wn_train.data.corpus import Recording


def utterance(number: int, samples: int = 5, frames: int | None = None) -> Utterance:
    values = {"speaker": f"s{number}", "mood": ""}
    return Utterance(
        Recording(Path(f"{number}.wav"), "valid", values),
        np.full(samples, number, np.uint8),
        None if frames is None else np.arange(3.0 * frames, dtype=np.float32).reshape(-1, 3),
    )


@pytest.mark.parametrize("count", [1, CLIPS, 5 * CLIPS + 3])
def test_they_are_spread_evenly_over_the_split(count: int) -> None:
    clips = choose_clips([utterance(i) for i in range(count)], specs.PLAIN)
    assert len(clips) == min(count, CLIPS)
    numbers = [int(clip["samples"][0]) for clip in clips]
    assert len({b - a for a, b in itertools.pairwise(numbers)}) <= 1
    assert numbers[-1] >= count - 2 * max(1, count // CLIPS)


def test_a_clip_has_the_conditions_that_are_given_and_a_limited_length() -> None:
    clip = choose_clips([utterance(3, CLIP_SAMPLES + 100)], specs.PLAIN)[0]
    assert clip["samples"].shape == (CLIP_SAMPLES,)
    assert clip["conditions"] == {"speaker": "s3"}
    assert "frames" not in clip


def test_the_first_clip_is_as_much_longer_as_conditioning_remembers() -> None:
    stack = ContextStack(4, 8, 5, 3, 2, (100,), 16)
    spec = specs.small_spec(conditioning=(stack,))
    clips = choose_clips([utterance(i, 3 * CLIP_SAMPLES) for i in range(3)], spec)
    assert [len(clip["samples"]) for clip in clips] == [CLIP_SAMPLES + 410, *[CLIP_SAMPLES] * 2]
    endless = specs.small_spec(conditioning=(dataclasses.replace(stack, dilations=(10**6,)),))
    clips = choose_clips([utterance(0, 9 * CLIP_SAMPLES)], endless)
    assert len(clips[0]["samples"]) == CLIP_SAMPLES + MOST_CONTEXT


def test_a_clips_frames_reach_as_far_as_the_model_looks_ahead() -> None:
    spec = specs.small_spec(conditioning=(Framed(hop=4, lookahead=8),))
    clip = choose_clips([utterance(3, CLIP_SAMPLES + 100, frames=CLIP_SAMPLES // 4 + 25)], spec)[0]
    assert clip["frames"].shape == (CLIP_SAMPLES // 4 + 2, 3)
