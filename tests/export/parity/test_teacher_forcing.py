"""Scores in chunks are those of one pass."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from tests.export.checkpoints import trained_of
from tests.models import specs
from tests.runtime.conditioning import local, stacks, stretching
from wn_export.parity import teacher_forcing
from wn_export.parity.expected import Clip
from wn_runtime.conditioning.timing import Timing

SPECS = {
    "constant": specs.CORNERS["two_conditions"],
    "frames": specs.small_spec(conditioning=(local.EVERY[-1],)),
    "stretched": specs.small_spec(conditioning=(stretching.EVERY["context"],)),
    "stack": specs.small_spec(classes=stacks.CLASSES, conditioning=(stacks.PLAIN,)),
}


@pytest.mark.parametrize("name", SPECS)
def test_scores_in_chunks_equal_one_pass(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    spec = SPECS[name]
    model = trained_of(spec).model
    timing = Timing.of(spec.conditioning)
    count = 20 * math.lcm(timing.block, 24) + 5  # the last block is not whole
    assert count > 2 * (timing.memory + spec.receptive_field + 48)
    frames = None
    if timing.frame_channels:
        rng = np.random.default_rng(1)
        shape = (count // timing.hop + 1, 1, timing.frame_channels)
        frames = rng.standard_normal(shape).astype(np.float32)
    conditions = {"speaker": "eve", "mood": "calm"} if spec.conditions else {}
    clip = Clip(specs.random_samples(spec, count, 1)[:, 0], conditions, frames)
    whole = teacher_forcing.score(model, clip)
    monkeypatch.setattr(teacher_forcing, "CHUNK", 48)
    np.testing.assert_allclose(teacher_forcing.score(model, clip), whole, atol=2e-5)
    changed = dataclasses.replace(clip, samples=clip.samples[::-1].copy())
    assert np.abs(teacher_forcing.score(model, changed) - whole).max() > 1e-3
