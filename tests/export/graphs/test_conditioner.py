"""conditioner.onnx and the runtime's NumPy conditioner give the same bias."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from tests.models import specs
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_export.graphs.conditioner_signature import block_length
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

SPEC = specs.CORNERS["two_conditions"]
WEIGHTS = specs.random_weights(SPEC)


def bias_of(
    spec: ModelSpec, weights: Weights, feeds: dict[str, NDArray[Any]], batch: int
) -> NDArray[np.float32]:
    graph = build_conditioner_graph(spec, weights, batch)
    session = ort.InferenceSession(graph.SerializeToString())
    bias: NDArray[np.float32] = session.run(["bias"], feeds)[0]
    return bias


def test_graph_and_numpy_agree_for_every_kind_of_condition() -> None:
    feeds = {
        "speaker": np.array([2, 0, 1], np.int32),
        "mood": np.array([[0, 1], [1, 1], [0, 0]], np.float32),
    }
    found = bias_of(SPEC, WEIGHTS, feeds, 3)
    conditions = {"speaker": ["eve", "ann", "bob"], "mood": ["loud", "calm+loud", ""]}
    expected = Conditioner(SPEC, WEIGHTS).whole(conditions, 3, 100)
    assert expected is not None
    assert found.shape == expected.shape == (1, SPEC.layers, 3, SPEC.gate_channels)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_condition_is_minus_one_and_adds_nothing() -> None:
    spec = specs.small_spec(conditions=(specs.SPEAKER,))
    weights = specs.random_weights(spec)
    found = bias_of(spec, weights, {"speaker": np.array([-1, 2], np.int32)}, 2)
    assert not found[:, :, 0].any()
    eve = Conditioner(spec, weights).whole({"speaker": "eve"}, 1, 1)
    assert eve is not None
    np.testing.assert_array_equal(found[:, :, 1], eve[:, :, 0])


def test_constant_conditioning_is_one_row_for_a_block_of_any_length() -> None:
    assert block_length(SPEC) == 1


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(WavestepError, match=r"weight 'condition.mood.weight' is missing"):
        build_conditioner_graph(SPEC, specs.random_weights(specs.CORNERS["one_condition"]))
