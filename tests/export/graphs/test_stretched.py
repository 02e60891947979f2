"""conditioner.onnx of stretched frames, run in blocks, is the runtime's; ends included."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from tests.models.specs import random_weights, small_spec
from tests.runtime.conditioning.stretching import EVERY, frames_for
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.conditioner_signature import block_length
from wn_runtime.conditioning.conditioner import Conditioner, padded_frames
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.conditioning.timing import Timing

BATCH = 2


@pytest.mark.parametrize("stretched", EVERY.values(), ids=list(EVERY))
def test_blocks_of_the_graph_are_numpys_whole_pass(stretched: StretchedFrames) -> None:
    spec = small_spec(conditioning=(stretched,))
    weights, timing, hop = random_weights(spec), Timing.of(spec.conditioning), stretched.hop
    graph = build_conditioner_graph(spec, weights, BATCH)
    session = ort.InferenceSession(graph.SerializeToString())
    block, calls = block_length(spec), 3
    conditioner = Conditioner(spec, weights)
    frames = frames_for(stretched, calls * block, BATCH)
    frames = padded_frames(frames[: 2 * block // hop + 1], len(frames), conditioner.padding)
    feeds: dict[str, NDArray[Any]] = {}
    if stretched.past:
        feeds["state.0.past"] = np.zeros((stretched.past, BATCH, stretched.channels), np.float32)
        feeds["state.0.inside"] = np.zeros((stretched.past, BATCH, 1), np.float32)
    states, rows = list(feeds), []
    for start in range(0, calls * block, block):
        given = frames[start // hop :][: timing.frames(block)]
        feeds["frames"] = given.transpose(1, 0, 2).copy()
        names = ["bias", *[name.replace("state", "next") for name in states]]
        bias, *following = session.run(names, feeds)
        rows.append(bias)
        feeds |= dict(zip(states, following, strict=True))
    expected = conditioner.whole({}, BATCH, calls * block, frames)
    assert expected is not None
    np.testing.assert_allclose(np.concatenate(rows), expected, atol=1e-5 * np.abs(expected).max())
