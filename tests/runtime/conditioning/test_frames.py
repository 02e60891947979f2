"""Local conditioning: in blocks as in one pass, aligned as stated, and strict in what it takes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.law.conditioners import verify_conditioner_contract
from tests.models.specs import SPEAKER, random_samples, random_weights, small_spec
from tests.runtime.conditioning.local import EVERY, HOP, frames_for, named
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.frames import MEAN, SCALE, UPSAMPLING, WEIGHT, LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[np.float32]
each = pytest.mark.parametrize("local", EVERY, ids=named)


def plain(upsampling: str, hold: int, channels: int = 2) -> tuple[ModelSpec, dict[str, Array]]:
    """Frames that go straight on to one layer's gate, neither shifted nor scaled."""
    local = LocalFrames(channels, HOP, channels, (), False, upsampling, hold)
    spec = small_spec((1,), gate=channels, conditioning=(local,))
    weights = random_weights(spec)
    weights[MEAN][:], weights[SCALE][:] = 0, 1
    weights[WEIGHT] = np.eye(channels, dtype=np.float32)[:, None]
    return spec, weights


def rows_of(spec: ModelSpec, weights: Weights, frames: Array, samples: int) -> Array:
    """The bias of one stream's samples, a row each: (T, G) of the first layer."""
    bias = Conditioner(spec, weights).whole({}, 1, samples, frames[:, None])
    assert bias is not None
    return np.repeat(bias[:, 0, 0], samples // len(bias), axis=0)


@each
def test_blocks_of_any_sizes_are_one_pass(local: LocalFrames) -> None:
    spec = small_spec(conditioning=(local,))
    conditioner = Conditioner(spec, random_weights(spec))
    samples = random_samples(spec, 8 * HOP, 2)
    verify_conditioner_contract(conditioner, {}, frames_for(local, 8 * HOP, 2), samples)


@each
def test_the_last_bits_do_not_depend_on_blocks_nor_on_other_streams(local: LocalFrames) -> None:
    spec = small_spec(conditioning=(local,))
    conditioner, timing = Conditioner(spec, random_weights(spec)), Timing.of([local])
    frames = frames_for(local, 9 * HOP, 3)
    whole = conditioner.whole({}, 3, 9 * HOP, frames)
    assert whole is not None
    state, found = conditioner.start({}, 1), []
    for first, count in ((0, 1), (1, 5), (6, 3)):
        needed = frames[first : first + timing.frames(count * HOP), 1:2]
        rows, state = conditioner.block(state, count * HOP, needed)
        assert rows is not None
        found.append(rows)
    assert np.array_equal(np.concatenate(found), whole[:, :, 1:2])


@each
def test_what_it_says_of_its_reach_is_so(local: LocalFrames) -> None:
    """Each frame changes the bias from `lookahead` before its samples to `memory` after them."""
    spec = small_spec((1,), conditioning=(local,))
    weights = random_weights(spec)
    for name in weights:
        if name.startswith("condition."):  # nothing that relu could hide
            weights[name] = np.abs(weights[name]) + np.float32(0.1)
    weights[MEAN][:] = 0
    count, middle = 2 * (local.past + local.ahead) + 3, local.past + local.ahead + 1
    frames = np.abs(frames_for(local, count * HOP))[:, 0]
    changed = frames.copy()
    changed[middle] += 1
    moved = np.flatnonzero(
        (
            rows_of(spec, weights, changed, count * HOP)
            != rows_of(spec, weights, frames, count * HOP)
        ).any(axis=1)
    )
    assert moved[0] == middle * HOP - local.lookahead
    assert moved[-1] == (middle + 1) * HOP - 1 + local.memory
    assert len(moved) == moved[-1] - moved[0] + 1
    assert (local.lookahead % HOP, local.memory % HOP, local.block) == (0, 0, HOP)


def test_a_frame_covers_its_own_samples() -> None:
    spec, weights = plain("repeat", HOP)
    frames = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert np.array_equal(rows_of(spec, weights, frames, 5 * HOP), np.repeat(frames, HOP, axis=0))


@pytest.mark.parametrize("hold", [12, 4, 1])
def test_a_line_goes_from_a_frames_first_sample_to_the_nexts_and_rows_lie_amid_it(
    hold: int,
) -> None:
    spec, weights = plain("linear", hold)
    frames = np.array([[0, 6], [12, 0], [24, 6]], np.float32)
    middles = (np.arange(2 * HOP) // hold + 0.5) * hold  # of the span that a sample's row is held
    expected = [np.interp(middles / HOP, [0, 1, 2], frames[:, channel]) for channel in (0, 1)]
    found = rows_of(spec, weights, frames, 2 * HOP)
    np.testing.assert_allclose(found, np.stack(expected, axis=1), rtol=1e-6)


def test_a_transposed_convolution_sees_the_frame_before() -> None:
    spec, weights = plain("transposed", 4)
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((6, 2, 2)).astype(np.float32)
    weights[UPSAMPLING] = kernel
    frames = rng.standard_normal((3, 2)).astype(np.float32)
    found = rows_of(spec, weights, frames, 3 * HOP)[::4]
    before = np.concatenate([np.zeros((1, 2), np.float32), frames])
    expected = [
        frames[i] @ kernel[r] + before[i] @ kernel[3 + r] for i in range(3) for r in (0, 1, 2)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(("causal", "shift"), [(False, 1), (True, 0)])
def test_a_kernel_lies_around_its_frame_or_ends_at_it(causal: bool, shift: int) -> None:
    local = LocalFrames(1, HOP, 1, (3,), causal, "repeat", HOP)
    spec = small_spec((1,), gate=2, conditioning=(local,))
    weights = random_weights(spec)
    weights[MEAN][:], weights[SCALE][:], weights["condition.frames.0.bias"][:] = 0, 1, 0
    weights["condition.frames.0.weight"] = np.array([100, 10, 1], np.float32).reshape(3, 1, 1)
    weights[WEIGHT] = np.ones((1, 1, 2), np.float32)
    frames = np.arange(1, 7, dtype=np.float32)[:, None]
    found = rows_of(spec, weights, frames, 4 * HOP)[::HOP, 0]
    if shift:
        assert found.tolist() == [12, 123, 234, 345]
    else:
        assert found.tolist() == [1, 12, 123, 234]


def test_frames_are_normalised_and_past_the_ends_there_is_the_mean() -> None:
    spec, weights = plain("linear", HOP)
    weights[MEAN][:], weights[SCALE][:] = (3, -4), (2, 10)
    frames = np.array([[4, -4], [3, -5]], np.float32)
    found = rows_of(spec, weights, frames, 2 * HOP)[::HOP]  # the second's line leads to the mean
    np.testing.assert_allclose(found, [[1, -5], [0, -5]], atol=1e-5)


def test_a_frame_out_of_all_bounds_overflows_nothing() -> None:
    spec, weights = plain("repeat", HOP)
    weights[SCALE][:] = 1e30
    frames = np.array([[3e38, -3e38]], np.float32)
    found = rows_of(spec, weights, frames, HOP)[0].tolist()
    assert found == pytest.approx([1000, -1000], rel=1e-6)


def test_it_is_a_spec_like_any_other_and_adds_up_with_speakers() -> None:
    local = LocalFrames(3, HOP, 5, (3,), False, "linear", 4)
    spec = small_spec(conditioning=(GlobalConditions((SPEAKER,)), local))
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert Timing.of(spec.conditioning) == Timing(HOP, 2 * HOP, HOP, HOP, 3, False)
    conditioner = Conditioner(spec, random_weights(spec))
    frames, samples = frames_for(local, 4 * HOP, 2), random_samples(spec, 4 * HOP, 2)
    verify_conditioner_contract(conditioner, {"speaker": ["ann", "eve"]}, frames, samples)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 0}, "channels is 0; it must be 1 to 4096"),
        ({"channels": 4097}, "channels is 4097"),
        ({"hop": 0}, "hop is 0; it must be 1 to 65536"),
        ({"hop": 65537}, "hop is 65537"),
        ({"hidden": 0}, "hidden is 0; it must be 1 to 4096"),
        ({"kernels": [4]}, r"kernels are \[4\]; each must be odd, 1 to 63"),
        ({"kernels": [65]}, r"kernels are \[65\]"),
        ({"kernels": [-1]}, r"kernels are \[-1\]"),
        ({"kernels": [1] * 17}, "there are 17 kernels; give at most 16"),
        ({"kernels": []}, "hidden is 5; without kernels it must be channels, 3"),
        ({"upsampling": "cubic"}, "upsampling 'cubic' is unknown; known are: repeat, linear"),
        ({"hold": 0}, "hold is 0; it must divide hop, 12"),
        ({"hold": 5}, "hold is 5; it must divide hop, 12"),
        ({"hold": 24}, "hold is 24; it must divide hop, 12"),
        ({"upsampling": "repeat"}, "hold is 4; repeat holds a row for the whole hop, 12"),
        ({"causal": 1}, "causal: expected bool, got 1"),
        ({"kernel": [3]}, "key 'kernel' is unknown.*did you mean 'kernels'"),
    ],
)
def test_a_spec_from_elsewhere_is_checked(changes: dict[str, Any], message: str) -> None:
    local = LocalFrames(3, HOP, 5, (3,), False, "linear", 4)
    data = small_spec(conditioning=(local,)).to_dict()
    data["conditioning"][0].update(changes)
    with pytest.raises(WavestepError, match=message):
        ModelSpec.from_dict(data)


def test_conditioners_that_cannot_be_together_are_refused() -> None:
    local = LocalFrames(3, HOP, 5, (3,), False, "linear", 4)
    other = dataclasses.replace(local, hold=6)
    with pytest.raises(ValueError, match="2 conditioners have a weight 'condition"):
        small_spec(conditioning=(local, other))


def test_a_block_of_more_rows_than_memory_holds_is_refused() -> None:
    local = LocalFrames(1, 65536, 1, (), False, "linear", 1)
    with pytest.raises(ValueError, match="has 65536 rows of 3 x 4096 numbers, over 268435456"):
        small_spec(gate=4096, conditioning=(local,))
