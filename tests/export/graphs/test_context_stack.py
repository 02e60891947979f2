"""conditioner.onnx of a context stack, run in blocks, is the runtime's conditioner."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from tests.models.specs import SPEAKER, random_samples, random_weights, small_spec
from tests.runtime.conditioning.local import frames_for
from tests.runtime.conditioning.stacks import EVERY, PLAIN, spec_with
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.conditioner_signature import block_length
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.spec import ModelSpec

BATCH = 2


def streamed(spec: ModelSpec, blocks: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The bias of `blocks` blocks by the graph, its state passed on, and by NumPy."""
    weights, timing = random_weights(spec), Timing.of(spec.conditioning)
    session = ort.InferenceSession(
        build_conditioner_graph(spec, weights, BATCH).SerializeToString()
    )
    block = block_length(spec)
    samples = random_samples(spec, blocks * block, BATCH)
    frames = None
    if timing.frame_channels:
        local = next(c for c in spec.conditioning if isinstance(c, LocalFrames))
        frames = frames_for(local, blocks * block, BATCH)
    feeds: dict[str, NDArray[Any]] = {
        each.name: np.zeros(each.shape, np.float32)
        for each in session.get_inputs()
        if each.name.startswith("state.")
    }
    assert feeds
    if spec.conditions:
        feeds["speaker"] = np.array([0, 2], np.int32)
    before = np.full((block, BATCH), spec.output.silence, samples.dtype)
    rows = []
    for start in range(0, blocks * block, block):
        feeds["history"] = before.T.copy()
        if frames is not None:
            given = frames[start // timing.hop :][: timing.frames(block)]
            feeds["frames"] = given.transpose(1, 0, 2).copy()
        carried = [name for name in feeds if name.startswith("state.")]
        names = ["bias", *[name.replace("state", "next") for name in carried]]
        bias, *following = session.run(names, feeds)
        rows.append(bias)
        feeds |= dict(zip(carried, following, strict=True))
        before = samples[start : start + block]
    values = {"speaker": ["ann", "eve"]} if spec.conditions else {}
    expected = Conditioner(spec, weights).whole(values, BATCH, blocks * block, frames, samples)
    assert expected is not None
    return np.concatenate(rows), expected


@pytest.mark.parametrize(
    "stack", [*EVERY.values(), dataclasses.replace(PLAIN, classes=0)], ids=[*EVERY, "amplitudes"]
)
def test_blocks_of_the_graph_are_numpys_whole_pass(stack: ContextStack) -> None:
    spec = spec_with(stack)
    assert block_length(spec) == stack.block
    found, expected = streamed(spec, stack.memory // stack.block + 4)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(("hold", "upsampling"), [(4, "linear"), (12, "transposed")])
def test_it_goes_with_speakers_and_frames(hold: int, upsampling: str) -> None:
    local = LocalFrames(3, 12, 5, (3,), False, upsampling, hold)
    stack = dataclasses.replace(PLAIN, block=24, pool=12)
    spec = small_spec(conditioning=(GlobalConditions((SPEAKER,)), local, stack))
    found, expected = streamed(spec, 8)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
