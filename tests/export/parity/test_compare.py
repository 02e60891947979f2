"""Parity passes engines that are the model and fails others, each for the right reason."""

import dataclasses

import numpy as np
import pytest

from tests import model_dir, oracle, specs
from wn_export.package import graph_files as models
from wn_export.package.graph_files import Graphs
from wn_export.parity import available as engines_here
from wn_export.parity import report
from wn_export.parity.compare import compare as parity
from wn_export.parity.reference import Answer, Excerpt, FreeRun, Reference, surprise
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.engine import EngineUnavailable, open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.synthesis.sampling import CategoricalSampler, Uniforms

SPEC = specs.CORNERS["two_conditions"]
WEIGHTS = specs.random_weights(SPEC, seed=0)
CONDITIONER = Conditioner(SPEC, WEIGHTS)
CONDITIONS = {"speaker": "bob", "mood": "calm+loud"}


class OracleEngine:
    """The layer equation itself as an engine; `change` spoils its logits (T, B, A)."""

    name = "oracle"

    def __init__(self, precision="fp32", batch=1, change=lambda logits: logits):
        self.spec, self.precision, self.batch, self._change = SPEC, precision, batch, change

    def reset(self):
        pass  # blocks are longer than the reference: every call starts from silence

    def score(self, samples, bias):
        return self._change(oracle.score(SPEC, WEIGHTS, samples, bias).astype(np.float32))

    def generate(self, bias, uniforms):
        codes = np.zeros((len(uniforms), self.batch), np.int32)
        draw = CategoricalSampler(self.batch, SPEC.classes, 1.0)
        for t in range(len(uniforms)):  # short: every step scores all before it
            draw(self.score(codes[: t + 1], bias)[t], uniforms[t], codes[t])
        return codes


@pytest.fixture(scope="module")
def reference():
    """Two excerpts and 60 free-running samples, answered by the layer equation."""
    engine = OracleEngine()
    bias = CONDITIONER.bias(CONDITIONS, 1)
    excerpts = [
        Excerpt(specs.random_samples(SPEC, length, 1, seed=length)[:, 0], CONDITIONS)
        for length in (40, 70)
    ]
    answers = []
    for excerpt in excerpts:
        logits = engine.score(excerpt.codes[:, None], bias)[:, 0]
        steps = np.arange(0, len(logits), 3)
        answers.append(Answer(surprise(logits, excerpt.codes), steps, logits[steps]))
    samples = engine.generate(bias, Uniforms(1, 1).draw(60))[:, 0]
    free = FreeRun(CONDITIONS, 1, samples)
    return Reference("test", tuple(excerpts), tuple(answers), free)


def compare(engine, reference):
    return parity.compare(engine, reference, CONDITIONER)


@pytest.mark.parametrize("batch", [1, 3])
def test_the_step_graph_passes(tmp_path, reference, batch):
    directory = model_dir.write_model(tmp_path / "voice", SPEC, ("fp32", "fp16"), batch)
    found = {
        engine.precision: compare(engine, reference)
        for engine in engines_here.opened(directory, "onnx")
    }
    single, half = found["fp32"].row, found["fp16"].row
    assert single.passed
    assert single.max_logit_error < 1e-5
    assert single.first_difference is None
    assert single.samples_compared == 60 * batch
    assert half.passed
    assert 1e-5 < half.max_logit_error < 1e-2
    assert single.mean_logit_error < half.mean_logit_error < half.max_logit_error


@pytest.mark.parametrize(("steps", "batch"), [(4, 1), (7, 3)])
def test_chunk_graphs_are_held_to_the_same(tmp_path, reference, steps, batch):
    manifest = manifests.Manifest(manifests.FORMAT, "voice", SPEC, {})
    models.write_models(tmp_path, manifest, WEIGHTS, Graphs(("fp32", "fp16"), batch, steps))
    found = {
        engine.precision: compare(engine, reference).row
        for engine in engines_here.opened(tmp_path, "onnx")
        if engine.name == f"chunk{steps}"
    }
    assert found["fp32"].passed
    assert found["fp32"].max_logit_error < 1e-5
    assert found["fp32"].first_difference is None
    assert found["fp16"].passed
    assert found["fp16"].max_logit_error > 1e-5


def test_a_graph_of_other_weights_fails(tmp_path, reference):
    directory = model_dir.write_model(tmp_path / "voice", SPEC, seed=1)
    row = compare(open_engine(directory), reference).row
    assert not row.passed
    assert row.max_logit_error > 0.01


def test_an_error_just_outside_the_tolerance_fails(reference):
    largest = reference.largest_logit
    for factor, passes in ((0.9, True), (1.1, False)):
        error = np.float32(parity.LOGIT_TOLERANCE * factor * largest)

        def spoil(logits, error=error):
            spoilt = logits.copy()
            spoilt[:1, :, 0] += error  # at one step, for one class
            return spoilt

        row = compare(OracleEngine(change=spoil), reference).row
        assert row.passed is passes
        assert row.max_logit_error == pytest.approx(parity.LOGIT_TOLERANCE * factor, rel=0.01)


def test_half_precision_is_held_to_its_bits(reference):
    def flatten(strength):
        return lambda logits: logits * np.float32(1 - strength)

    mild = compare(OracleEngine("fp16", change=flatten(1e-4)), reference).row
    assert mild.passed
    strong = compare(OracleEngine("fp16", change=lambda logits: -logits), reference).row
    assert not strong.passed
    assert abs(strong.delta_bits) > parity.BITS_TOLERANCE, "fewer bits are another model too"


@pytest.mark.parametrize("batch", [1, 3])
def test_progress_adds_up(tmp_path, reference, batch, monkeypatch):
    monkeypatch.setattr(parity, "BLOCK", 16)
    directory = model_dir.write_model(tmp_path / "voice", SPEC)
    advances = []
    engine = open_engine(directory, "onnx", batch=batch)
    row = parity.compare(engine, reference, CONDITIONER, advances.append).row
    assert row.passed, "blocks change nothing"
    assert sum(advances) == parity.steps_of(reference, batch)
    assert max(advances) == 16


def test_nan_never_passes(reference):
    for precision in ("fp32", "fp16"):
        row = compare(OracleEngine(precision, change=lambda logits: logits * np.nan), reference).row
        assert not row.passed


def differing(reference, index):
    """The reference with its sample at `index` one class on; the edge between the two classes."""
    drawn = int(reference.free.samples[index])
    other = drawn + 1 if drawn + 1 < SPEC.classes else drawn - 1
    samples = reference.free.samples.copy()
    samples[index] = other
    logits = OracleEngine().score(samples[: index + 1, None], CONDITIONER.bias(CONDITIONS, 1))
    weight = np.exp(logits[index, 0].astype(np.float64))
    edge = np.cumsum(weight)[min(drawn, other)] / weight.sum()
    free = dataclasses.replace(reference.free, samples=samples)
    return dataclasses.replace(reference, free=free), edge


def test_a_sample_that_differs_fails_float32_and_its_margin_is_told(reference):
    changed, edge = differing(reference, 20)
    found = compare(OracleEngine(), changed)
    assert not found.row.passed
    assert not found.within_float_error
    assert found.row.first_difference == 20
    uniform = Uniforms(1, 1).draw(60)[20, 0]
    assert found.row.margin == pytest.approx(abs(edge - uniform), abs=1e-6)
    assert compare(OracleEngine("fp16"), changed).row.passed, "held to its bits alone"


def test_a_draw_on_the_very_edge_may_differ_and_says_so(reference, monkeypatch):
    changed, edge = differing(reference, 20)
    uniforms = Uniforms(1, 1).draw(60)
    drawn, other = reference.free.samples[20], changed.free.samples[20]
    # The class above is drawn from the edge on.
    uniforms[20, 0] = edge + (1e-7 if drawn > other else -1e-7)

    class OnTheEdge:
        def __init__(self, seed, streams):
            pass

        def draw(self, steps):
            return uniforms[:steps]

    monkeypatch.setattr(parity, "Uniforms", OnTheEdge)
    found = compare(OracleEngine(), changed)
    assert found.row.first_difference == 20
    assert found.row.margin < 1e-6
    assert found.within_float_error
    assert found.row.passed


def test_rows_say_what_happened(reference):
    good = compare(OracleEngine(), reference)
    assert report.line(good).split() == [
        "oracle", "fp32", "max|Δ|", "0.0e+00", "+0.0000", "bits", "PASS",
    ]  # fmt: skip
    close = dataclasses.replace(
        good,
        row=dataclasses.replace(good.row, first_difference=17, margin=3e-8),
        within_float_error=True,
    )
    assert report.line(close).endswith("sample 17 differs, margin 3.0e-08: within float error")


def test_an_engine_that_cannot_run_here_is_told_or_is_an_error(tmp_path, monkeypatch):
    directory = model_dir.write_model(tmp_path / "voice", SPEC)

    def refuse(*args, **kwargs):
        raise EngineUnavailable("no ONNX Runtime here")

    monkeypatch.setattr(engines_here, "open_engine", refuse)
    missing = list(engines_here.opened(directory, "onnx"))
    assert [(each.engine, each.reason) for each in missing] == [("onnx", "no ONNX Runtime here")]
    with pytest.raises(EngineUnavailable):
        list(engines_here.opened(directory, "onnx", required=True))


def test_an_unknown_engine_is_told(tmp_path):
    directory = model_dir.write_model(tmp_path / "voice", SPEC)
    with pytest.raises(WavestepError, match=r"engine 'onx' is unknown.*did you mean 'onnx'"):
        engines_here.candidates(directory, "onx")
