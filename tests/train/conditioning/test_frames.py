"""Local conditioning in training is what the runtime streams, and begins as something sensible."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.models.specs import small_spec
from tests.runtime.conditioning.local import CHANNELS, EVERY, HOP, frames_for, named
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.frames import LocalFrames
from wn_train.conditioning.config import FramesConfig
from wn_train.conditioning.frames import LocalModule
from wn_train.conditioning.statistics import statistics
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet
from wn_train.training.optimizer import groups

RNG = np.random.default_rng(0)
CLIPS = [(RNG.standard_normal((n, CHANNELS)) * 3 + 5).astype(np.float32) for n in (40, 11)]


@pytest.mark.parametrize("local", EVERY, ids=named)
@torch.no_grad()
def test_a_whole_pass_is_what_the_runtime_streams(local: LocalFrames) -> None:
    spec = small_spec(conditioning=(local,))
    model = random_model(spec)
    model.fit(CLIPS)
    conditioner = Conditioner(spec, canonical_weights(model, "test"))
    frames = frames_for(local, 7 * HOP, 2) * 3 + 5
    found = model.condition(
        torch.zeros(2, 7 * HOP, dtype=torch.long), {}, torch.from_numpy(frames.transpose(1, 0, 2))
    )
    expected = conditioner.whole({}, 2, 7 * HOP, frames)
    assert found is not None
    assert expected is not None
    each = np.repeat(expected, local.hold, axis=0)  # (T, L, B, G)
    np.testing.assert_allclose(
        found.permute(2, 0, 1, 3).numpy(), each, atol=1e-5 * np.abs(each).max()
    )


def test_statistics_are_those_of_all_frames_together() -> None:
    mean, scale = statistics(CLIPS)
    every = np.concatenate(CLIPS).astype(np.float64)
    np.testing.assert_allclose(mean, every.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scale, 1 / every.std(axis=0), rtol=1e-5)


def test_deviations_far_from_zero_keep_their_digits() -> None:
    far = [clip[:, :1] + np.float32(30000) for clip in CLIPS]
    np.testing.assert_allclose(
        statistics(far)[1], 1 / np.concatenate(far).std(dtype="f8"), rtol=1e-4
    )


def test_a_channel_that_never_changes_is_left_out() -> None:
    clips = [np.stack([clip[:, 0], np.full(len(clip), 0.1)], axis=1) for clip in CLIPS]
    mean, scale = statistics([clip.astype(np.float32) for clip in clips])
    assert mean[1] == np.float32(0.1)
    assert scale[0] > 0
    assert scale[1] == 0


def test_the_model_keeps_the_statistics_and_pads_with_the_mean() -> None:
    spec = small_spec(conditioning=(EVERY[-1],))
    model = WaveNet(spec)
    model.fit(CLIPS)
    mean, scale = statistics(CLIPS)
    assert np.array_equal(model.padding(), mean)
    again = WaveNet(spec)
    again.load_state_dict(model.state_dict())
    weights = canonical_weights(again, "test")
    assert np.array_equal(weights["condition.frames.mean"], mean)
    assert np.array_equal(weights["condition.frames.scale"], scale)
    assert np.array_equal(Conditioner(spec, weights).padding, mean)
    assert not WaveNet(small_spec()).padding().size


@torch.no_grad()
def test_a_transposed_convolution_begins_as_repetition() -> None:
    transposed = LocalFrames(CHANNELS, HOP, 5, (3,), False, "transposed", 4)
    torch.manual_seed(0)
    one = LocalModule(transposed, 2, 4)
    repeated = dataclasses.replace(transposed, upsampling="repeat", hold=HOP)
    other = LocalModule(repeated, 2, 4)
    other.load_state_dict({k: v for k, v in one.state_dict().items() if k != "upsampling"})
    frames = torch.from_numpy(frames_for(transposed, 6 * HOP, 2).transpose(1, 0, 2))
    samples = torch.zeros(2, 6 * HOP)
    found, expected = one({}, frames, samples), other({}, frames, samples)
    torch.testing.assert_close(found, expected.repeat_interleave(3, dim=2))


@pytest.mark.parametrize("upsampling", ["repeat", "linear", "transposed"])
def test_every_part_of_it_learns(upsampling: str) -> None:
    torch.manual_seed(0)
    hold = 12 if upsampling == "repeat" else 4
    local = LocalFrames(CHANNELS, HOP, 5, (3, 3), False, upsampling, hold)
    model = WaveNet(small_spec(conditioning=(local,)))
    frames = torch.from_numpy(frames_for(local, 6 * HOP, 2).transpose(1, 0, 2))
    model(torch.zeros(2, 6 * HOP, dtype=torch.long), {}, frames).square().sum().backward()
    for name, parameter in model.conditioners[0].named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    decayed, _ = groups(model)
    assert not {id(p) for p in decayed} & {id(p) for p in model.conditioners.parameters()}


@pytest.mark.parametrize(
    ("hop", "upsampling", "hold"),
    [
        (80, "repeat", 80),
        (80, "linear", 16),
        (200, "transposed", 10),
        (256, "linear", 16),
        (7, "linear", 7),
        (257, "transposed", 1),
    ],
)
def test_a_row_is_held_for_up_to_16_samples_unless_it_is_repeated(
    hop: int, upsampling: str, hold: int
) -> None:
    assert FramesConfig(hop, upsampling=upsampling).spec(80).hold == hold
    assert FramesConfig(hop, upsampling=upsampling, hold=hop).spec(80).hold == hop


def test_without_kernels_the_frames_are_the_hidden_channels() -> None:
    assert FramesConfig(80, kernels=()).spec(20).hidden == 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hop": -1}, "hop is -1"),
        ({"hop": 0, "kernels": (2,)}, r"kernels are \[2\]"),
        ({"channels": -1}, "channels is -1"),
        ({"channels": 5000}, "channels is 5000"),
        ({"kernels": (2,)}, r"kernels are \[2\]"),
        ({"upsampling": "cubic"}, "upsampling 'cubic' is unknown"),
        ({"hold": 3}, "hold is 3; it must divide hop, 80"),
        ({"hold": -1}, "hold is -1"),
    ],
)
def test_a_configuration_is_checked_before_there_is_data(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        FramesConfig(**{"hop": 80, **changes})  # type: ignore[arg-type]
