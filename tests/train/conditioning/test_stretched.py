"""Stretched frames in training are what the runtime streams."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.models.specs import small_spec
from tests.runtime.conditioning.stretching import EVERY, frames_for
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner, padded_frames
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet


@pytest.mark.parametrize("stretched", EVERY.values(), ids=list(EVERY))
@pytest.mark.parametrize("ends", [False, True])
@torch.no_grad()
def test_a_whole_pass_is_what_the_runtime_streams(stretched: StretchedFrames, ends: bool) -> None:
    spec, steps = small_spec(conditioning=(stretched,)), 7 * stretched.hop
    model = random_model(spec)
    conditioner = Conditioner(spec, canonical_weights(model, "test"))
    frames = frames_for(stretched, steps, 2)
    if ends:
        frames = padded_frames(frames[:5], len(frames), conditioner.padding)
    given = torch.from_numpy(frames.transpose(1, 0, 2).copy())
    found = model.condition(torch.zeros(2, steps, dtype=torch.long), {}, given)
    expected = conditioner.whole({}, 2, steps, frames)
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(
        found.permute(2, 0, 1, 3).numpy(), expected, atol=1e-5 * np.abs(expected).max()
    )


def test_it_begins_as_repetition_and_everything_in_it_learns() -> None:
    stretched = EVERY["activation"]
    spec = small_spec(conditioning=(stretched,))
    frames = frames_for(stretched, 4 * stretched.hop)
    given = torch.from_numpy(np.abs(frames).transpose(1, 0, 2).copy())
    model = WaveNet(spec)
    bias = model.condition(torch.zeros(1, 4 * stretched.hop, dtype=torch.long), {}, given)
    assert bias is not None
    apart = bias.reshape(*bias.shape[:2], 4, stretched.hop, -1)
    torch.testing.assert_close(apart, apart[:, :, :, :1].expand_as(apart))
    bias.square().sum().backward()  # type: ignore[no-untyped-call]
    own = dict(model.conditioners.named_parameters())
    assert len(own) == 6
    assert all(p.grad is not None and bool(p.grad.any()) for p in own.values())
