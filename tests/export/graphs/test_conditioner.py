"""conditioner.onnx and the runtime's NumPy conditioner give the same bias."""

import dataclasses

import numpy as np
import onnxruntime as ort

from tests import specs
from wn_export.graphs.conditioner import build_conditioner_graph
from wn_runtime.conditioning.conditioner import Conditioner

SPEC = specs.CORNERS["two_conditions"]
WEIGHTS = specs.random_weights(SPEC)


def bias_of(spec, weights, feeds, batch):
    graph = build_conditioner_graph(spec, weights, batch)
    return ort.InferenceSession(graph.SerializeToString()).run(["bias"], feeds)[0]


def test_graph_and_numpy_agree_for_every_kind_of_condition():
    feeds = {
        "speaker": np.array([2, 0, 1], np.int32),
        "mood": np.array([[0, 1], [1, 1], [0, 0]], np.float32),
    }
    found = bias_of(SPEC, WEIGHTS, feeds, 3)
    conditions = {"speaker": ["eve", "ann", "bob"], "mood": ["loud", "calm+loud", ""]}
    expected = Conditioner(SPEC, WEIGHTS).bias(conditions, 3)
    assert found.shape == expected.shape == (1, SPEC.layers, 3, SPEC.gate)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_no_condition_is_minus_one_and_adds_nothing():
    spec = dataclasses.replace(SPEC, conditions=(specs.SPEAKER,))
    weights = specs.random_weights(spec)
    found = bias_of(spec, weights, {"speaker": np.array([-1, 2], np.int32)}, 2)
    assert not found[:, :, 0].any()
    np.testing.assert_array_equal(
        found[:, :, 1], Conditioner(spec, weights).bias({"speaker": "eve"}, 1)[:, :, 0]
    )
