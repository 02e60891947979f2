"""conditioner.onnx of local conditioning, run in blocks, is the runtime's conditioner."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from tests.models.specs import SPEAKER, random_weights, small_spec
from tests.runtime.conditioning.local import EVERY, HOP, frames_for, named
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.conditioner_signature import block_length
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.timing import Timing

BATCH = 2


@pytest.mark.parametrize("local", EVERY, ids=named)
def test_blocks_of_the_graph_are_numpys_whole_pass(local: LocalFrames) -> None:
    spec = small_spec(conditioning=(GlobalConditions((SPEAKER,)), local))
    weights, timing = random_weights(spec), Timing.of(spec.conditioning)
    graph = build_conditioner_graph(spec, weights, BATCH)
    metadata = {each.key: each.value for each in graph.metadata_props}
    assert (int(metadata["hop"]), int(metadata["lookahead"])) == (HOP, local.lookahead)
    session = ort.InferenceSession(graph.SerializeToString())
    block, calls = block_length(spec), 3
    frames = frames_for(local, calls * block, BATCH)
    frames[0] = 3e38  # overflows nothing
    feeds: dict[str, NDArray[Any]] = {"speaker": np.array([0, 2], np.int32)}
    if local.past:
        feeds["state.1.past"] = np.zeros((local.past, BATCH, local.channels), np.float32)
    rows = []
    for start in range(0, calls * block, block):
        given = frames[start // HOP :][: timing.frames(block)]
        feeds["frames"] = given.transpose(1, 0, 2).copy()
        names = ["bias", *[name.replace("state", "next") for name in feeds if "state" in name]]
        bias, *following = session.run(names, feeds)
        rows.append(bias)
        if local.past:
            (feeds["state.1.past"],) = following
    conditioner = Conditioner(spec, weights)
    expected = conditioner.whole({"speaker": ["ann", "eve"]}, BATCH, calls * block, frames)
    assert expected is not None
    found = np.concatenate(rows)
    assert found.shape == expected.shape == (calls * block // local.hold, 3, BATCH, 16)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
