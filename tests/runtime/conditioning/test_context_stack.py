"""A context stack: in blocks as in one pass, late by a block, and strict in what it can be."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.law.conditioners import verify_conditioner_contract
from tests.models.specs import SPEAKER, random_samples, random_weights, small_spec
from tests.runtime.conditioning.local import frames_for
from tests.runtime.conditioning.stacks import EVERY, PLAIN, spec_with
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.context_stack import (
    FILTER,
    FILTER_BIAS,
    WAVE,
    WEIGHT,
    ContextStack,
    layer_names,
)
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model import state as states
from wn_runtime.model.spec import ModelSpec, context_in_words
from wn_runtime.model.weights import Weights

Array = NDArray[np.float32]
each = pytest.mark.parametrize("stack", EVERY.values(), ids=EVERY)


def rows_of(spec: ModelSpec, weights: Weights, samples: NDArray[Any]) -> Array:
    """The bias of every sample, in one pass: (T, L, B, G)."""
    steps, streams = samples.shape
    bias = Conditioner(spec, weights).whole({}, streams, steps, history=samples)
    assert bias is not None
    return np.repeat(bias, steps // len(bias), axis=0)


@each
def test_blocks_are_one_pass_and_see_no_sample_of_their_own(stack: ContextStack) -> None:
    spec = small_spec(conditioning=(stack,))
    conditioner = Conditioner(spec, random_weights(spec))
    samples = random_samples(spec, 7 * stack.block, 2)
    verify_conditioner_contract(conditioner, {}, None, samples)


@each
def test_the_last_bits_do_not_depend_on_other_streams(stack: ContextStack) -> None:
    spec = small_spec(conditioning=(stack,))
    weights = random_weights(spec)
    samples = random_samples(spec, 6 * stack.block, 3)
    beside, alone = rows_of(spec, weights, samples), rows_of(spec, weights, samples[:, 1:2])
    assert np.array_equal(beside[:, :, 1:2], alone)


@each
def test_its_context_is_its_footprint(stack: ContextStack) -> None:
    """A sample changes the bias from a block after its own frame on, as long as memory says."""
    spec = small_spec((1,), conditioning=(stack,))
    weights = random_weights(spec)
    for name in weights:
        if name.startswith("condition."):  # nothing that relu could hide
            weights[name] = np.abs(weights[name]) + np.float32(0.1)
    steps = 2 * (stack.memory // stack.block + 2) * stack.block
    samples = random_samples(spec, steps, 1)
    at = steps // 2 + stack.block // 2 - stack.pool // 2
    changed = samples.copy()
    changed[at] = (changed[at] + 5) % 16
    moved = np.flatnonzero(
        (rows_of(spec, weights, changed) != rows_of(spec, weights, samples)).any(axis=(1, 2, 3))
    )
    first, last = moved[0], moved[-1] // stack.pool * stack.pool  # where their rows begin
    assert first == at // stack.pool * stack.pool + stack.block  # that of its own frame, a block on
    assert last <= at + stack.memory < last + stack.pool


def test_it_is_the_equation_on_the_page() -> None:
    """Step by step in float64, one sample and one frame at a time, with nothing shared."""
    stack = dataclasses.replace(PLAIN, kernel=3, dilations=(2, 1))
    spec = small_spec(conditioning=(stack,))
    weights = {k: v.astype(np.float64) for k, v in random_weights(spec).items()}
    samples = random_samples(spec, 5 * stack.block, 1)
    known = np.concatenate([np.full(stack.block, 8), samples[:, 0]])[: len(samples)]
    wave = [weights[WAVE][sample] for sample in known]
    filtered = []
    for t in range(len(wave)):
        taps = [wave[t - j] * weights[FILTER][j, 0] for j in range(3) if t >= j]
        filtered.append(np.maximum(np.sum(taps, axis=0) + weights[FILTER_BIAS], 0))
    frames = [np.mean(filtered[f : f + 4], axis=0) for f in range(0, len(wave), 4)]
    for i, dilation in enumerate(stack.dilations):
        weight, bias = (weights[name] for name in layer_names(i))
        frames = [
            h
            + np.maximum(
                bias
                + np.sum(
                    [frames[f - j * dilation] @ weight[j] for j in range(3) if f >= j * dilation],
                    axis=0,
                ),
                0,
            )
            for f, h in enumerate(frames)
        ]
    expected = np.repeat([np.tensordot(h, weights[WEIGHT], 1) for h in frames], 4, axis=0)
    found = rows_of(spec, random_weights(spec), samples)[:, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("classes", [16, 0])
def test_it_reads_classes_and_amplitudes(classes: int) -> None:
    stack = dataclasses.replace(PLAIN, classes=classes)
    spec = spec_with(stack)
    assert (WAVE in stack.shapes(3, 16)) == bool(classes)
    conditioner = Conditioner(spec, random_weights(spec))
    verify_conditioner_contract(conditioner, {}, None, random_samples(spec, 64, 2))


@pytest.mark.parametrize("hold", [4, 12])
def test_it_goes_with_speakers_and_frames(hold: int) -> None:
    local = LocalFrames(3, 12, 5, (3,), False, "linear", hold)
    stack = dataclasses.replace(PLAIN, block=24, pool=12)
    spec = small_spec(conditioning=(GlobalConditions((SPEAKER,)), local, stack))
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert Timing.of(spec.conditioning) == Timing(12, 24, 24, 62, 3, True, 62)
    conditioner = Conditioner(spec, random_weights(spec))
    values: dict[str, Values] = {"speaker": ["ann", "eve"]}
    samples = random_samples(spec, 24 * 6, 2)
    verify_conditioner_contract(conditioner, values, frames_for(local, 24 * 6, 2), samples)


def test_a_slot_of_its_state_is_a_streams_own() -> None:
    spec = small_spec(conditioning=(PLAIN,))
    conditioner = Conditioner(spec, random_weights(spec))
    samples = random_samples(spec, 32, 3)
    state, one = conditioner.start({}, 3), conditioner.start({}, 1)
    for start in range(0, 32, 8):
        _, state = conditioner.block(state, 8, None, samples[start : start + 8])
        _, one = conditioner.block(one, 8, None, samples[start : start + 8, 1:2])
    taken = states.take(state, [1])
    assert taken.keys() == one.keys()
    for name, array in one.items():
        assert np.array_equal(taken[name], array), name


def test_both_receptive_fields_are_said() -> None:
    stack = ContextStack(64, 256, classes=16)
    assert stack.memory == 256 + 255 * 64 + 31
    spec = small_spec(conditioning=(stack,))
    assert context_in_words(spec) == ", context 16607 samples (2.1 s)"
    assert not context_in_words(small_spec())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": 0}, "pool is 0; it must be 1 to 65536"),
        ({"block": 0}, "block is 0; it must be 1 to 65536"),
        ({"block": 65537}, "block is 65537"),
        ({"block": 10}, "block is 10; it must be a multiple of pool, 4"),
        ({"channels": 5000}, "channels is 5000; it must be 1 to 4096"),
        ({"filter_width": 0}, "filter_width is 0; it must be 1 to 1024"),
        ({"kernel": 1}, "kernel is 1; it must be 2 to 64"),
        ({"dilations": []}, "there are 0 dilations; give 1 to 64, one a layer"),
        ({"dilations": [1] * 65}, "there are 65 dilations"),
        ({"dilations": [1, 0]}, "dilations are from 0; each must be 1 or more"),
        ({"dilations": [2**22]}, "its context is 16777226 samples, over 16777216; take fewer"),
        ({"dilations": [2**62]}, "its context is 18446744073709551626 samples, over 16777216"),
        ({"dilations": [2**18], "channels": 512}, "its state has 134217728 numbers and a block's"),
        ({"pool": 1, "block": 65536, "channels": 4096}, "a block's filter 268435456, at most"),
        ({"classes": 0}, "reads samples of 0 classes, the head's have 16; set classes to that"),
        ({"classes": 256}, "reads samples of 256 classes, the head's have 16"),
        ({"pools": 4}, "key 'pools' is unknown.*did you mean 'pool'"),
        ({"dilations": 4}, r"dilations: expected a list, got 4"),
    ],
)
def test_a_spec_from_elsewhere_is_checked(changes: dict[str, Any], message: str) -> None:
    data = small_spec(conditioning=(PLAIN,)).to_dict()
    data["conditioning"][0].update(changes)
    with pytest.raises(WavestepError, match=message) as error:
        ModelSpec.from_dict(data)
    assert "\n" not in str(error.value)


def test_its_block_is_the_models() -> None:
    local = LocalFrames(3, 12, 5, (3,), False, "repeat", 12)
    message = "has blocks of 8 samples, and all conditioners together of 24; .* its block 24"
    with pytest.raises(ValueError, match=message):
        small_spec(conditioning=(local, PLAIN))
    two = dataclasses.replace(PLAIN, block=16)
    with pytest.raises(ValueError, match="2 conditioners have a weight"):
        small_spec(conditioning=(PLAIN, two))
