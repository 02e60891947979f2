"""The native engine is the layer equation, on every instruction set, in blocks of any size."""

import itertools

import numpy as np
import pytest

from tests import oracle
from tests.contract import verify_engine_contract
from tests.model_dir import write_model
from tests.runtime.engines.native.targets import TARGETS, needs_compiler
from tests.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from wn_runtime.engines.engine import Engine, open_engine
from wn_runtime.engines.native.engine import NativeEngine, compiler_for
from wn_runtime.engines.native.pack import aligned_zeros, quantise, remainder, to_bfloat16
from wn_runtime.engines.native.shapes import PRECISIONS
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.sampling import CategoricalSampler

pytestmark = needs_compiler
WIDE = ModelSpec(8000, (2, 1), residual=33, gate=70, skip=130, head=600, classes=257)
FAR = ModelSpec(
    8000,
    (8, 1, 17, 9, 12),
    kernel=3,
    residual=64,
    gate=96,
    skip=30,
    head=20,
    classes=32,
    conditions=CORNERS["one_condition"].conditions,
)  # layers that are looked ahead
SPECS = {
    **CORNERS,
    **{f"random_{seed}": random_spec(seed) for seed in range(4)},
    "wide": WIDE,
    "far": FAR,
}


def _uniforms(steps: int, batch: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((steps, batch)).astype(np.float32)


def test_more_memory_than_there_is_is_told():
    with pytest.raises(MemoryError, match="bytes"):
        aligned_zeros(1 << 60)


def _error(got, expected) -> float:
    return float(np.abs(got - expected).max() / np.abs(expected).max())


def _rounded(weights, precision):
    """The float weights that a precision stands for."""
    rounded = dict(weights)
    for name in ("gate", "residual", "skip", "head.0", "head.1"):
        stack = weights[f"{name}.weight"]
        matrices = stack.reshape(-1, *stack.shape[-2:])
        if precision == "bf16":
            rows = [(to_bfloat16(m).astype(np.uint32) << 16).view(np.float32) for m in matrices]
        else:
            rows = [whole * scale for whole, scale in map(quantise, matrices)]
            if name == "head.1":
                whole, scale = quantise(remainder(matrices[0]))
                rows[0] = rows[0] + whole * scale
        rounded[f"{name}.weight"] = np.stack(rows).reshape(stack.shape).astype(np.float32)
    return rounded


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("batch", [1, 2])
def test_scores_are_those_of_the_layer_equation(name, batch):
    spec = SPECS[name]
    weights, samples = random_weights(spec), random_samples(spec, 60, batch)
    engine = NativeEngine(spec, weights, "fp32", batch)
    for steps in (1, 60):  # conditioning constant over the block, and not
        bias = random_bias(spec, batch, steps)
        engine.reset()
        expected = oracle.score(spec, weights, samples, bias)
        assert _error(engine.score(samples, bias), expected) < 2e-6


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_instruction_set_scores_as_its_rounded_weights_do(precision, target):
    """Apart from its weights' rounding, a precision loses next to nothing."""
    for name, batch in (("uneven", 1), ("wide", 3), ("far", 1)):
        spec = SPECS[name]
        weights, samples = random_weights(spec), random_samples(spec, 40, batch)
        bias = random_bias(spec, batch, 40)
        engine = NativeEngine(spec, weights, precision, batch, library=compiler_for(*target))
        rounded = weights if precision == "fp32" else _rounded(weights, precision)
        expected = oracle.score(spec, rounded, samples, bias)
        limit = 5e-4 if precision == "int8" else 2e-6
        assert _error(engine.score(samples, bias), expected) < limit


def test_int8_is_the_same_arithmetic_on_every_instruction_set():
    spec = SPECS["wide"]
    weights, samples = random_weights(spec), random_samples(spec, 40, 1)
    scores = [
        NativeEngine(spec, weights, "int8", library=compiler_for(*target)).score(samples, None)
        for target in (("-O3",), ("-DWN_PLAIN",), ())
    ]
    for other in scores[1:]:
        assert _error(other, scores[0]) < 2e-5


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("name", "batch"), [("kernel_3", 2), ("far", 1), ("far", 2)])
def test_blocks_of_any_size_give_the_same_samples(name, batch, precision):
    spec = SPECS[name]
    uniforms, bias = _uniforms(90, batch), random_bias(spec, batch, 90)
    whole = NativeEngine(spec, random_weights(spec), precision, batch)
    parts = NativeEngine(spec, random_weights(spec), precision, batch)
    expected = whole.generate(bias, uniforms)
    ends = [0, 1, 2, 40, 41, 90]
    got = [parts.generate(bias[a:b], uniforms[a:b]) for a, b in itertools.pairwise(ends)]
    np.testing.assert_array_equal(np.concatenate(got), expected)
    np.testing.assert_array_equal(parts.snapshot().lines, whole.snapshot().lines)


@pytest.mark.parametrize("temperature", [1.0, 0.7, 0.0, 1e-45])
def test_generation_draws_as_the_numpy_sampler_does_from_its_own_scores(temperature):
    spec = SPECS["uneven"]
    bias, uniforms = random_bias(spec, 2), _uniforms(300, 2)
    engine = NativeEngine(spec, random_weights(spec), "fp32", 2)
    classes = engine.generate(bias, uniforms, temperature)
    engine.reset()
    logits = engine.score(classes, bias)
    expected = np.empty_like(classes)
    sampler = CategoricalSampler(2, spec.classes, max(temperature, 1e-30) if temperature else 0)
    for t in range(len(classes)):
        sampler(logits[t], uniforms[t], expected[t])
    assert (classes == expected).mean() > 0.998


def test_argmax_takes_the_lowest_class_of_equals():
    spec = CORNERS["plain"]
    weights = random_weights(spec)
    weights["head.1.weight"][:] = 0
    weights["head.1.bias"][:] = [0, 0, 0, 2, 1, 2] + [0] * (spec.classes - 6)
    engine = NativeEngine(spec, weights, "fp32")
    assert (engine.generate(None, _uniforms(5, 1), 0.0) == 3).all()


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-24])
def test_uniforms_at_either_end_draw_the_first_and_the_last_class(uniform):
    spec = CORNERS["uneven"]
    weights = random_weights(spec)
    weights["head.1.weight"][:] = 0
    weights["head.1.bias"][:] = 0
    engine = NativeEngine(spec, weights, "fp32")
    uniforms = np.full((3, 1), uniform, np.float32)
    assert (
        engine.generate(random_bias(spec, 1), uniforms) == (spec.classes - 1) * (uniform > 0)
    ).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_stream_goes_on_from_its_snapshot_bit_for_bit(precision):
    spec = CORNERS["two_conditions"]
    bias, uniforms = random_bias(spec, 3), _uniforms(60, 3)
    engine = NativeEngine(spec, random_weights(spec), precision, 3)
    engine.generate(bias, uniforms[:23])
    state = engine.snapshot()
    expected = engine.generate(bias, uniforms[23:])
    other = NativeEngine(spec, random_weights(spec), precision, 3)
    other.restore(state)
    np.testing.assert_array_equal(other.generate(bias, uniforms[23:]), expected)
    engine.restore(state)  # the snapshot was a copy
    np.testing.assert_array_equal(engine.generate(bias, uniforms[23:]), expected)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_a_stream_goes_through_float32_and_back_without_loss(precision):
    spec = CORNERS["two_conditions"]
    bias, uniforms = random_bias(spec, 2), _uniforms(60, 2)
    rounded = NativeEngine(spec, random_weights(spec), precision, 2)
    rounded.generate(bias, uniforms[:23])
    between = NativeEngine(spec, random_weights(spec), "fp32", 2)
    between.restore(rounded.snapshot())
    expected = rounded.generate(bias, uniforms[23:])
    rounded.restore(between.snapshot())
    np.testing.assert_array_equal(rounded.generate(bias, uniforms[23:]), expected)
    between.generate(bias, uniforms[23:])  # and it can go on there


def test_reset_silences_the_streams_named_and_no_other():
    spec = CORNERS["plain"]
    uniforms = _uniforms(30, 3)
    engine = NativeEngine(spec, random_weights(spec), "fp32", 3)
    fresh = engine.generate(None, uniforms)
    on = engine.generate(None, uniforms)
    engine.reset()
    engine.generate(None, uniforms)
    engine.reset([1])
    mixed = engine.generate(None, uniforms)
    np.testing.assert_array_equal(mixed[:, 1], fresh[:, 1])
    np.testing.assert_array_equal(mixed[:, [0, 2]], on[:, [0, 2]])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("batch", "threads"), [(2, 2), (5, 1), (5, 2), (18, 1)])
def test_streams_side_by_side_are_those_alone(precision, batch, threads):
    spec = CORNERS["one_condition"]
    uniforms, bias = _uniforms(40, batch), random_bias(spec, batch, 40)
    engine = NativeEngine(spec, random_weights(spec), precision, batch, threads)
    together = engine.generate(bias, uniforms)
    alone = NativeEngine(spec, random_weights(spec), precision)
    for b in (0, batch // 2, batch - 1):
        alone.reset()
        expected = alone.generate(bias[:, :, b : b + 1], uniforms[:, b : b + 1])
        np.testing.assert_array_equal(together[:, b : b + 1], expected)
    engine.close()


def test_it_is_an_engine_and_says_how_it_runs():
    engine = NativeEngine(CORNERS["plain"], random_weights(CORNERS["plain"]), "int8", 4, 2)
    assert isinstance(engine, Engine)
    assert (engine.name, engine.precision, engine.batch) == ("native", "int8", 4)
    assert engine.note == "2 threads"
    engine.close()


def test_an_empty_block_changes_nothing():
    spec = CORNERS["plain"]
    engine = NativeEngine(spec, random_weights(spec), "fp32")
    assert engine.generate(None, _uniforms(0, 1)).shape == (0, 1)
    assert engine.score(random_samples(spec, 0, 1), None).shape == (0, 1, spec.classes)


def test_what_does_not_fit_is_refused_before_c_sees_it():
    spec = CORNERS["one_condition"]
    engine = NativeEngine(spec, random_weights(spec), "fp32", 2)
    bias = random_bias(spec, 2)
    with pytest.raises(WavestepError, match="takes"):
        engine.generate(bias, _uniforms(4, 3))
    with pytest.raises(WavestepError, match="bias"):
        engine.generate(bias[:, :-1], _uniforms(4, 2))
    with pytest.raises(WavestepError, match="classes are 0 to 15"):
        engine.score(np.full((4, 2), spec.classes, np.int32), bias)
    with pytest.raises(WavestepError, match="classes are 0 to 15"):
        engine.score(np.full((4, 2), -1, np.int32), bias)
    state = engine.snapshot()
    state.samples[0, 0] = 10**6
    with pytest.raises(WavestepError, match="classes are 0 to 15"):
        engine.restore(state)


@pytest.mark.parametrize(("precision", "batch"), [("fp32", 1), ("fp32", 3)])
@pytest.mark.parametrize("name", ["plain", "two_conditions", "uneven"])
def test_it_obeys_the_contract_of_engines(name, precision, batch):
    weights = random_weights(CORNERS[name])
    verify_engine_contract(NativeEngine(CORNERS[name], weights, precision, batch), weights)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_it_obeys_the_contract_with_rounded_weights(precision):
    spec = CORNERS["kernel_3"]
    weights = random_weights(spec)
    engine = NativeEngine(spec, weights, precision, 2)
    verify_engine_contract(engine, _rounded(weights, precision), tolerance=1e-3)


def test_a_stream_goes_on_in_the_onnx_engine_and_back_with_the_same_samples(tmp_path):
    spec = CORNERS["two_conditions"]
    directory = write_model(tmp_path / "model", spec, batch=2)
    native = open_engine(directory, "native", batch=2)
    onnx = open_engine(directory, "onnx", batch=2)
    bias, uniforms = random_bias(spec, 2), _uniforms(90, 2)
    expected = native.generate(bias, uniforms)
    native.reset()
    begin = native.generate(bias, uniforms[:30])
    onnx.restore(native.snapshot())
    middle = onnx.generate(bias, uniforms[30:60])
    native.restore(onnx.snapshot())
    end = native.generate(bias, uniforms[60:])
    np.testing.assert_array_equal(np.concatenate([begin, middle, end]), expected)


def test_it_is_what_open_engine_takes_on_a_cpu(tmp_path):
    directory = write_model(tmp_path / "model", CORNERS["plain"])
    engine = open_engine(directory)
    assert (engine.name, engine.precision) == ("native", "fp32")
    assert open_engine(directory, "native", "int8").precision == "int8"


def test_without_a_compiler_one_sentence_says_so_and_onnx_runs(tmp_path, monkeypatch):
    directory = write_model(tmp_path / "model", CORNERS["plain"])
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    said: list[str] = []
    assert open_engine(directory, say=said.append).name == "onnx"
    assert any("no C compiler is here" in line and "\n" not in line for line in said)
