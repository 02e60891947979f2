"""Stretched frames: in blocks as in one pass, and as their definition at the edges."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.law.conditioners import verify_conditioner_contract
from tests.models.specs import random_samples, random_weights, small_spec
from tests.runtime.conditioning.stretching import CHANNELS, EVERY, frames_for
from wn_runtime.conditioning.conditioner import Conditioner, padded_frames
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.conditioning.stretched_weights import CONV, MEAN, SCALE, WEIGHT, stage_names
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Array = NDArray[np.float32]
each = pytest.mark.parametrize("stretched", EVERY.values(), ids=list(EVERY))


def weights_of(spec: ModelSpec) -> dict[str, Array]:
    """Random ones; the stages' biases are zero where nothing else keeps V from going first."""
    weights = random_weights(spec)
    for part in spec.conditioning:
        if isinstance(part, StretchedFrames) and part.slope == 1:
            for i in range(len(part.scales)):
                weights[stage_names(i)[1]][:] = 0
    return weights


def by_definition(spec: StretchedFrames, weights: Weights, frames: Array) -> NDArray[np.float64]:
    """The bias of the first layer (T, G) of all of a clip's frames (F, C), stage by stage.

    Written from the module's docstring: each stage over the whole clip, zeros around it.
    """
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    normal = (frames - w[MEAN]) * w[SCALE]
    reach = spec.context + spec.margin
    y = np.pad(normal, ((reach, reach), (0, 0)), mode="edge")
    width = 2 * spec.context + 1
    rows = len(y) - width + 1
    c = sum(y[j : j + rows] @ w[CONV][j] for j in range(width))
    assert isinstance(c, np.ndarray)
    half = spec.frequency // 2
    for i, scale in enumerate(spec.scales):
        kernel, bias = (w[name] for name in stage_names(i))
        padded = np.pad(c, ((spec.back[i], spec.ahead[i]), (half, half)))
        out = np.zeros((len(c) * scale, spec.channels))
        for t in range(len(out)):
            row, phase = divmod(t, scale)
            for j in range(spec.taps(i)):
                for q in range(spec.frequency):
                    out[t] += kernel[j, phase, q] * padded[row + j, q : q + spec.channels]
        out += bias
        c = np.where(out < 0, spec.slope * out, out)
    cut = spec.margin * spec.hop
    found: NDArray[np.float64] = c[cut : len(c) - cut] @ w[WEIGHT][:, 0]
    return found


@each
def test_a_clip_is_what_the_definition_makes_of_it_ends_included(
    stretched: StretchedFrames,
) -> None:
    spec = small_spec(conditioning=(stretched,))
    weights = weights_of(spec)
    frames = np.random.default_rng(0).standard_normal((7, CHANNELS)).astype(np.float32)
    expected = by_definition(stretched, weights, frames)
    found = Conditioner(spec, weights).whole({}, 1, len(expected), frames[:, None])
    assert found is not None
    np.testing.assert_allclose(found[:, 0, 0], expected, atol=1e-6 * np.abs(expected).max())


@each
@pytest.mark.parametrize("ends", [False, True])
def test_blocks_of_any_sizes_are_one_pass(stretched: StretchedFrames, ends: bool) -> None:
    spec = small_spec(conditioning=(stretched,))
    conditioner, steps = Conditioner(spec, weights_of(spec)), 8 * stretched.hop
    frames = frames_for(stretched, steps, 2)
    if ends:
        frames = padded_frames(frames[:6], len(frames), conditioner.padding)
    verify_conditioner_contract(conditioner, {}, frames, random_samples(spec, steps, 2))


@each
def test_the_last_bits_do_not_depend_on_blocks_nor_on_other_streams(
    stretched: StretchedFrames,
) -> None:
    spec, hop = small_spec(conditioning=(stretched,)), stretched.hop
    conditioner, timing = Conditioner(spec, weights_of(spec)), Timing.of([stretched])
    frames = frames_for(stretched, 9 * hop, 3)
    whole = conditioner.whole({}, 3, 9 * hop, frames)
    assert whole is not None
    state, found = conditioner.start({}, 1), []
    for first, count in ((0, 1), (1, 5), (6, 3)):
        needed = frames[first : first + timing.frames(count * hop), 1:2]
        rows, state = conditioner.block(state, count * hop, needed)
        assert rows is not None
        found.append(rows)
    assert np.array_equal(np.concatenate(found), whole[:, :, 1:2])


@each
def test_what_it_says_of_its_reach_is_so(stretched: StretchedFrames) -> None:
    """No frame but those within `memory` and `lookahead` changes a sample's bias."""
    spec, hop = small_spec((1,), conditioning=(stretched,)), stretched.hop
    conditioner = Conditioner(spec, weights_of(spec))
    middle = stretched.past + stretched.beyond + 1
    count = 2 * middle + 1
    frames = frames_for(stretched, count * hop)
    changed = frames.copy()
    changed[middle] += 1
    one, other = (conditioner.whole({}, 1, count * hop, each) for each in (frames, changed))
    assert one is not None
    assert other is not None
    moved = np.flatnonzero((one != other).any(axis=(1, 2, 3)))
    assert middle * hop - stretched.lookahead <= moved[0] <= middle * hop
    assert (middle + 1) * hop - 1 <= moved[-1] < (middle + 1) * hop + stretched.memory


def test_frames_out_of_all_bounds_overflow_nothing() -> None:
    spec = small_spec(conditioning=(EVERY["context"],))
    weights = weights_of(spec)
    frames = np.full((4, 1, CHANNELS), 9e37, np.float32)
    bias = Conditioner(spec, weights).whole({}, 1, 4 * EVERY["context"].hop, frames)
    assert bias is not None
    assert np.isfinite(bias).all()


def test_it_is_a_spec_like_any_other() -> None:
    for stretched in EVERY.values():
        spec = small_spec(conditioning=(stretched,))
        assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channels": 0}, "channels is 0; it must be 1 to 4096"),
        ({"scales": []}, "there are 0 scales; give 1 to 8"),
        ({"scales": [256, 257]}, r"scales are \[256, 257\]; .* product at most 65536"),
        ({"scales": [0, 2]}, r"scales are \[0, 2\]"),
        ({"back": [1]}, r"back is \[1\]; give 2 numbers"),
        ({"ahead": [1, 32]}, r"ahead is \[1, 32\]; give 2 numbers, each 0 to 31"),
        ({"channels": 4096}, r"a stage's product has 9 x 4096\^2 numbers, over 67108864"),
        ({"context": -1}, "context is -1; it must be 0 to 31"),
        ({"margin": 32}, "margin is 32; it must be 0 to 31"),
        ({"frequency": 2}, "frequency is 2; it must be odd, 1 to 63"),
        ({"slope": 1.5}, "slope is 1.5; it must be 0 to 1"),
    ],
)
def test_a_spec_from_elsewhere_is_checked(changes: dict[str, Any], message: str) -> None:
    data = small_spec(conditioning=(EVERY["plain"],)).to_dict()
    data["conditioning"][0].update(changes)
    with pytest.raises(WavestepError, match=message):
        ModelSpec.from_dict(data)
