"""generator.onnx has the tensors it says, states that are values, and samples known beforehand."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests.export.graphs.generator.session import Session
from tests.law import oracle
from tests.models.generators import MODELS
from tests.models.specs import (
    CORNERS,
    PLAIN,
    random_bias,
    random_samples,
    random_uniforms,
    random_weights,
    small_spec,
)
from wn_export.graphs.generator import lines
from wn_export.graphs.generator.graph import build_generator_graph
from wn_runtime.engines.generator.signature import BLOCK, GeneratorSignature
from wn_runtime.engines.step_signature import Tensor
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

STEPS = BLOCK + 20


def declared(values: list[onnx.ValueInfoProto]) -> dict[str, Tensor]:
    """Name to shape and type; sizes that a call decides by their names."""
    found = {}
    for value in values:
        kind = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        rows = kind.shape.dim[0].dim_param
        shape = tuple(dim.dim_value for dim in list(kind.shape.dim)[bool(rows) :])
        found[value.name] = Tensor(shape, dtype, rows)
    return found


@pytest.mark.parametrize("name", MODELS)
def test_its_tensors_are_those_of_the_signature(name: str) -> None:
    spec = MODELS[name]
    graph = build_generator_graph(spec, random_weights(spec), 2).graph
    signature = GeneratorSignature.of(spec, 2)
    assert declared(list(graph.input)) == signature.inputs
    assert declared(list(graph.output)) == signature.outputs


def test_the_signature_in_words() -> None:
    signature = GeneratorSignature.of(MODELS["logistic"], 3)
    assert {name: str(tensor) for name, tensor in signature.inputs.items()} == {
        "uniforms": "int32 (samples, 3, 2)",
        "bias": "float32 (rows, 2, 3, 16)",
        "temperature": "float64 (3,)",
        "state.samples": "float32 (1, 3)",
        "state.delay_lines": "float32 (65, 3, 8)",
        "known": "float32 (known, 3)",
    }
    assert {name: str(tensor) for name, tensor in signature.outputs.items()} == {
        "samples": "float32 (samples, 3)",
        "audio": "float32 (samples, 3)",
        "next.samples": "float32 (1, 3)",
        "next.delay_lines": "float32 (65, 3, 8)",
        "params": "float32 (known, 3, 12)",
    }
    assert signature.inputs["state.delay_lines"].nbytes == 65 * 3 * 8 * 4
    assert "bias" not in GeneratorSignature.of(PLAIN, 1).inputs


def test_it_says_what_it_is() -> None:
    spec = CORNERS["uneven"]
    model = build_generator_graph(spec, random_weights(spec), 2)
    properties = {p.key: p.value for p in model.metadata_props}
    assert ModelSpec.from_dict(json.loads(properties.pop("spec"))) == spec
    assert properties == {
        "precision": "fp32",
        "batch": "2",
        "block": "64",
        "sample_rate": "16000",
        "silence": "5",
    }


@pytest.mark.parametrize("name", MODELS)
def test_known_samples_are_scored_and_the_rest_is_drawn_after_them(name: str) -> None:
    """Blocks of the known, of the drawn, and one that has both."""
    spec, batch = MODELS[name], 2
    weights = random_weights(spec)
    session = Session(spec, weights, batch)
    known, bias = random_samples(spec, 100, batch), random_bias(spec, batch, 90)
    uniforms = random_uniforms(180, batch, each=spec.output.uniforms)
    made = session(uniforms=uniforms, bias=bias, known=known)
    assert made["params"].shape == (100, batch, spec.output.params)
    every = random_bias(spec, batch, 90)
    wanted = oracle.score(spec, weights, made["samples"], every)[:100]
    assert np.abs(made["params"] - wanted).max() < 1e-5 * np.abs(wanted).max()
    np.testing.assert_array_equal(made["samples"][:100], known)

    # What is drawn after them is what a stream that has seen them draws.
    first = bias if bias is None else bias[:50]
    seen = session(uniforms=uniforms[:100], bias=first, known=known)
    rest = bias if bias is None else bias[50:]
    after = session(uniforms=uniforms[100:], bias=rest, **session.state_of(seen))
    np.testing.assert_array_equal(made["samples"][100:], after["samples"])
    assert after["params"].shape == (0, batch, spec.output.params)
    for key, array in session.state_of(made).items():
        np.testing.assert_array_equal(array, session.state_of(after)[key])


@pytest.mark.parametrize("name", MODELS)
def test_a_state_is_a_value_and_no_stream_hears_another(name: str) -> None:
    spec, batch = MODELS[name], 3
    session = Session(spec, random_weights(spec), batch)
    bias = random_bias(spec, batch)
    uniforms = random_uniforms(2 * STEPS, batch, each=spec.output.uniforms)
    one = session(uniforms=uniforms[:STEPS], bias=bias)
    state = session.state_of(one)
    kept = {name: array.copy() for name, array in state.items()}
    first = session(uniforms=uniforms[STEPS:], bias=bias, **state)
    again = session(uniforms=uniforms[STEPS:], bias=bias, **state)
    for key, array in first.items():
        np.testing.assert_array_equal(array, again[key])
    assert all(np.array_equal(state[key], kept[key]) for key in kept)
    others = uniforms.copy()
    others[:, 1:] = others[::-1, 1:]
    alone = session(uniforms=others[:STEPS], bias=bias)
    np.testing.assert_array_equal(alone["samples"][:, 0], one["samples"][:, 0])
    assert not np.array_equal(alone["samples"], one["samples"])


@pytest.mark.parametrize("name", MODELS)
def test_its_audio_is_what_a_stream_gives(name: str) -> None:
    spec, batch = MODELS[name], 2
    session = Session(spec, random_weights(spec), batch)
    bias = random_bias(spec, batch)
    uniforms = random_uniforms(STEPS, batch, each=spec.output.uniforms)
    made = session(uniforms=uniforms, bias=bias)
    np.testing.assert_array_equal(made["audio"], spec.decode(made["samples"]))
    half = session(uniforms=uniforms[:30], bias=bias)
    rest = session(uniforms=uniforms[30:], bias=bias, **session.state_of(half))
    in_two = np.concatenate([half["audio"], rest["audio"]])
    np.testing.assert_array_equal(in_two, made["audio"])


def test_weights_of_another_model_are_refused() -> None:
    weights = random_weights(CORNERS["uneven"])
    with pytest.raises(WavestepError, match=r"weight 'condition.speaker.weight' does not belong"):
        build_generator_graph(PLAIN, weights)


def test_lines_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_ROWS", 100)
    spec = small_spec((1, 100))
    with pytest.raises(WavestepError, match="at most 100 rows, this model's 101; use the step"):
        build_generator_graph(spec, random_weights(spec))
