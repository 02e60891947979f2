"""The ONNX engine computes the model, for any shape and batch, from sessions that are shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.law import oracle
from tests.law.engines import verify_engine_contract
from tests.models.model_dir import write_model
from tests.models.specs import (
    CORNERS,
    random_bias,
    random_samples,
    random_spec,
    random_uniforms,
    random_weights,
)
from wn_runtime.engines import cores
from wn_runtime.engines.choice import open_engine, open_in
from wn_runtime.engines.generator.engine import GeneratorEngine
from wn_runtime.engines.onnx.engine import OnnxEngine
from wn_runtime.errors import WavestepError
from wn_runtime.model.package import ModelPackage


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("corner", CORNERS)
def test_it_obeys_the_contract(tmp_path: Path, corner: str, batch: int) -> None:
    spec = CORNERS[corner]
    engine = open_engine(write_model(tmp_path, spec, batch=batch), "onnx", batch=batch)
    verify_engine_contract(engine, random_weights(spec))


@pytest.mark.parametrize("seed", range(8))
def test_it_obeys_the_contract_for_any_shape(tmp_path: Path, seed: int) -> None:
    spec = random_spec(seed)
    engine = open_engine(write_model(tmp_path, spec, seed=seed), "onnx")
    verify_engine_contract(engine, random_weights(spec, seed))


@pytest.mark.parametrize(("graph", "asked"), [(1, 3), (2, 3), (4, 3), (3, 1)])
def test_streams_that_do_not_fill_the_graph_run_all_the_same(
    tmp_path: Path, graph: int, asked: int
) -> None:
    spec = CORNERS["uneven"]
    engine = open_engine(write_model(tmp_path, spec, batch=graph), "onnx", batch=asked)
    assert engine.batch == asked
    verify_engine_contract(engine, random_weights(spec))


@pytest.mark.parametrize("corner", ["kernel_3", "uneven"])
def test_half_precision_stays_close_and_obeys_the_law(tmp_path: Path, corner: str) -> None:
    spec = CORNERS[corner]
    engine = open_engine(write_model(tmp_path, spec, ("fp32", "fp16")), "onnx", "fp16", batch=2)
    assert engine.precision == "fp16"
    verify_engine_contract(engine, random_weights(spec), tolerance=2e-2)
    samples, bias = random_samples(spec, 40, 2), random_bias(spec, 2)
    engine.reset()
    found = engine.score(samples, bias)
    wanted = oracle.score(spec, random_weights(spec), samples, bias)
    assert 0 < np.abs(found - wanted).max() < 1e-2 * np.abs(wanted).max()


def test_a_state_goes_from_one_batch_layout_to_another(tmp_path: Path) -> None:
    spec = CORNERS["kernel_3"]
    side_by_side = open_engine(write_model(tmp_path / "a", spec, batch=3), "onnx", batch=3)
    in_turn = open_engine(write_model(tmp_path / "b", spec, batch=1), "onnx", batch=3)
    samples, bias = random_samples(spec, 30, 3), random_bias(spec, 3)
    side_by_side.score(samples, bias)
    in_turn.restore(side_by_side.snapshot())
    assert np.allclose(in_turn.score(samples, bias), side_by_side.score(samples, bias), atol=1e-5)


def opened(package: ModelPackage, precision: str = "fp32", threads: int = 1) -> OnnxEngine:
    engine = open_in(package, None, "onnx", precision, threads=threads)
    assert isinstance(engine, OnnxEngine)
    return engine


def test_more_threads_than_cores_are_not_started_and_the_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModelPackage(write_model(tmp_path, CORNERS["plain"], generator=True))
    monkeypatch.setattr(cores, "usable", lambda: 2)
    for name in ("onnx", "generator"):
        engine = open_in(package, None, name, threads=64)
        assert isinstance(engine, (OnnxEngine, GeneratorEngine))
        assert engine.threads == 2
        assert engine.note == "2 threads (64 asked for; 2 cores can be used)"
    assert opened(package, threads=2).note == "2 threads"


def test_engines_of_one_package_share_the_session_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 2)
    spec = CORNERS["plain"]
    package = ModelPackage(write_model(tmp_path, spec, ("fp32", "fp16")))
    one, other = opened(package), opened(package)
    (mine,), (its) = one._lanes, other._lanes[0]
    assert mine._session is its._session
    assert opened(package, "fp16")._lanes[0]._session is not mine._session
    assert opened(package, threads=2)._lanes[0]._session is not mine._session
    samples = random_samples(spec, 30, 1)
    expected = one.score(samples, None)
    one.reset()
    first = one.score(samples[:10], None)
    other.score(samples[::-1], None)
    second = one.score(samples[10:], None)
    np.testing.assert_array_equal(np.concatenate([first, second]), expected)


def test_bias_of_another_shape_is_refused(tmp_path: Path) -> None:
    engine = open_engine(write_model(tmp_path, CORNERS["one_condition"]), "onnx")
    uniforms = random_uniforms(4)
    with pytest.raises(WavestepError, match="bias is None"):
        engine.generate(None, uniforms)
    with pytest.raises(WavestepError, match=r"bias has 3 rows; their number must divide .* 4 samp"):
        engine.generate(np.zeros((3, 3, 1, 16), np.float32), uniforms)
    plain = open_engine(write_model(tmp_path / "plain", CORNERS["plain"]), "onnx")
    with pytest.raises(WavestepError, match="no conditioning; its bias must be None"):
        plain.generate(np.zeros((1, 3, 1, 16), np.float32), uniforms)


def test_a_state_of_another_model_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    one = open_engine(write_model(tmp_path / "a", CORNERS["plain"]), "onnx")
    other = open_engine(write_model(tmp_path / "b", CORNERS["kernel_3"]), "onnx")
    one.score(random_samples(CORNERS["plain"], 9, 1), None)
    before = one.snapshot()
    with pytest.raises(WavestepError, match="delay_lines of the state is"):
        one.restore(other.snapshot())
    after = one.snapshot()
    assert all(np.array_equal(before[name], after[name]) for name in before)
