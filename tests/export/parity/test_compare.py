"""Parity passes engines that are the model and fails others, each for the right reason."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.export.references import FREE_SAMPLES, SEED, reference_of
from tests.law.numpy_engine import NumpyEngine
from tests.models import model_dir, specs
from wn_export.parity import blocks, report
from wn_export.parity import compare as parity
from wn_export.parity.available import Unavailable, opened
from wn_export.parity.compare import Comparison
from wn_export.parity.expected import Reference
from wn_runtime.conditioning.conditioner import Bias, Conditioner
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import UNIFORM_BITS
from wn_runtime.model import strict
from wn_runtime.model.package import ModelPackage
from wn_runtime.synthesis.uniforms import uniforms

SPEC = specs.CORNERS["two_conditions"]
WEIGHTS = specs.random_weights(SPEC)
CONDITIONER = Conditioner(SPEC, WEIGHTS)
CONDITIONS = {"speaker": "bob", "mood": "calm+loud"}
Floats = NDArray[np.float32]
Change = Callable[[Floats, int], Floats]
"""The params (B, A) of step t of a call, spoilt."""


class Changed(NumpyEngine):
    """The model that the reference is of, but for `change`."""

    def __init__(
        self,
        precision: str = "fp32",
        change: Change = lambda params, t: params,
    ) -> None:
        super().__init__(SPEC, WEIGHTS)
        self.precision, self._change = precision, change

    def _step(self, bias: Bias, t: int, steps: int) -> Floats:
        return self._change(super()._step(bias, t, steps), t)


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Two clips and 60 free-running samples."""
    return reference_of(SPEC, conditions=CONDITIONS)


def compare(engine: Engine, reference: Reference) -> Comparison:
    return parity.compare(engine, reference, CONDITIONER)


def number(value: float | None) -> float:
    assert value is not None
    return value


@pytest.mark.parametrize("batch", [1, 3])
def test_the_step_graph_passes(tmp_path: Path, reference: Reference, batch: int) -> None:
    directory = model_dir.write_model(tmp_path / "voice", SPEC, ("fp32", "fp16"), batch)
    found = {}
    for engine in opened(ModelPackage(directory), "onnx"):
        assert not isinstance(engine, Unavailable)
        found[engine.precision] = compare(engine, reference)
    single, half = found["fp32"].row, found["fp16"].row
    assert single.passed
    assert number(single.max_error) < 1e-5
    assert single.first_difference is None
    assert single.samples_compared == FREE_SAMPLES * batch
    assert half.passed
    assert 1e-5 < number(half.max_error) < 1e-2
    assert number(single.mean_error) < number(half.mean_error) < number(half.max_error)


def test_a_graph_of_other_weights_fails(tmp_path: Path, reference: Reference) -> None:
    directory = model_dir.write_model(tmp_path / "voice", SPEC, seed=1)
    row = compare(open_engine(directory, "onnx"), reference).row
    assert not row.passed
    assert number(row.max_error) > 0.01


@pytest.mark.parametrize(("factor", "passes"), [(0.9, True), (1.1, False)])
def test_the_tolerance_is_a_share_of_the_largest_param(
    reference: Reference, factor: float, passes: bool
) -> None:
    error = np.float32(parity.PARAMS_TOLERANCE * factor * reference.largest)

    def spoil(params: Floats, t: int) -> Floats:
        params[:, 0] += error * (t == 0)  # at one step, of one class
        return params

    row = compare(Changed(change=spoil), reference).row
    assert row.passed is passes
    assert row.max_error == pytest.approx(parity.PARAMS_TOLERANCE * factor, rel=0.01)


def test_lower_precisions_are_held_to_their_bits(reference: Reference) -> None:
    mild = compare(Changed("fp16", lambda params, t: params * np.float32(0.9999)), reference).row
    assert mild.passed
    strong = compare(Changed("fp16", lambda params, t: -params), reference).row
    assert not strong.passed
    assert abs(number(strong.delta_bits)) > parity.BITS_TOLERANCE


def test_fewer_bits_are_another_model_too(reference: Reference) -> None:
    predictions = tuple(
        dataclasses.replace(each, bits=each.bits + np.float32(2 * parity.BITS_TOLERANCE))
        for each in reference.predictions
    )
    row = compare(Changed("fp16"), dataclasses.replace(reference, predictions=predictions)).row
    assert number(row.delta_bits) < -parity.BITS_TOLERANCE
    assert not row.passed


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("step", [0, 1, 59])
def test_what_is_not_a_number_never_passes(
    reference: Reference, precision: str, value: float, step: int
) -> None:
    """At a step that the reference keeps, at one that it does not, and while it runs freely."""

    def spoil(params: Floats, t: int) -> Floats:
        params[:, 0] += np.float32(value) * (t == step) if t == step else 0
        return params

    found = compare(Changed(precision, spoil), reference)
    assert not found.row.passed
    assert found.fault is not None
    assert found.row.samples_compared == len(found.samples) == 0
    json.dumps(strict.plain(found.row), allow_nan=False)
    assert "FAIL" in report.line(found)


@pytest.mark.parametrize("where", ["_score", "_generate"])
def test_an_engine_that_cannot_go_on_is_a_row_that_fails(
    reference: Reference, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> NoReturn:
        raise WavestepError("the graph failed")

    engine = Changed()
    monkeypatch.setattr(engine, where, broken)
    found = compare(engine, reference)
    assert not found.row.passed
    assert (found.row.max_error, found.row.delta_bits, found.row.margin) == (None, None, None)
    assert report.line(found).endswith("max|Δ| nan   nan bits   FAIL   the graph failed")


def test_params_of_a_model_that_are_all_zero_can_be_compared() -> None:
    weights = {name: np.zeros_like(array) for name, array in WEIGHTS.items()}
    silent = NumpyEngine(SPEC, weights)
    made = reference_of(SPEC, weights=weights)
    assert parity.compare(silent, made, Conditioner(SPEC, weights)).row.passed
    assert not parity.compare(NumpyEngine(SPEC, WEIGHTS), made, CONDITIONER).row.passed


@pytest.mark.parametrize("batch", [1, 3])
def test_progress_adds_up(
    tmp_path: Path, reference: Reference, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 16)
    directory = model_dir.write_model(tmp_path / "voice", SPEC)
    advances: list[int] = []
    engine = open_engine(directory, "onnx", batch=batch)
    row = parity.compare(engine, reference, CONDITIONER, advances.append).row
    assert row.passed, "blocks change nothing"
    assert sum(advances) == parity.steps_of(reference, batch)
    assert max(advances) == 16 // batch, "no more memory for more streams"


def differing(reference: Reference, index: int) -> tuple[Reference, float]:
    """The reference with its free sample at `index` one class on; the edge between the two."""
    free = reference.free
    drawn = int(free.clip.samples[index])
    other = drawn + 1 if drawn + 1 < SPEC.output.params else drawn - 1
    samples = free.clip.samples.copy()
    samples[index] = other
    engine = NumpyEngine(SPEC, WEIGHTS)
    params = engine.score(samples[: index + 1, None], CONDITIONER.whole(CONDITIONS, 1, index + 1))
    weight = np.exp(params[index, 0].astype(np.float64))
    edge = float(np.cumsum(weight)[min(drawn, other)] / weight.sum())
    changed = dataclasses.replace(free, clip=dataclasses.replace(free.clip, samples=samples))
    return dataclasses.replace(reference, free=changed), edge


def test_a_sample_that_differs_fails_float32_and_its_margin_is_told(reference: Reference) -> None:
    changed, edge = differing(reference, 20)
    found = compare(Changed(), changed)
    assert not found.row.passed
    assert not found.within_float_error
    assert found.row.first_difference == 20
    uniform = uniforms(SEED, 1, FREE_SAMPLES)[20, 0, 0] / 2**UNIFORM_BITS
    assert found.row.margin == pytest.approx(abs(edge - uniform), abs=1e-6)
    assert compare(Changed("fp16"), changed).row.passed, "held to its bits alone"


def test_a_draw_on_the_very_edge_may_differ_and_says_so(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, edge = differing(reference, 20)
    drawn, other = reference.free.clip.samples[20], changed.free.clip.samples[20]
    on_the_edge = uniforms(SEED, 1, FREE_SAMPLES)
    # The class above is drawn from the edge on; 16 of 2^24 are a millionth.
    on_the_edge[20] = round(edge * 2**UNIFORM_BITS) + (16 if drawn > other else -16)
    monkeypatch.setattr(parity, "uniforms", lambda seed, streams, steps, each: on_the_edge)
    found = compare(Changed(), changed)
    assert found.row.first_difference == 20
    assert found.row.margin == pytest.approx(1e-6, abs=5e-7)
    assert found.within_float_error
    assert found.row.passed


def test_rows_say_what_happened(reference: Reference) -> None:
    good = compare(Changed(), reference)
    words = ["numpy", "fp32", "max|Δ|", "0.0e+00", "+0.0000", "bits", "PASS"]
    assert report.line(good).split() == words
    close = dataclasses.replace(
        good,
        row=dataclasses.replace(good.row, first_difference=17, margin=3e-8),
        within_float_error=True,
    )
    assert report.line(close).endswith("sample 17 differs, margin 3.0e-08: within float error")
