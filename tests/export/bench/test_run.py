"""wn-bench opens every engine and precision that is here, for each batch, and measures them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.export.engines import engines
from tests.export.references import reference_of
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_export.bench import run as bench
from wn_export.bench.first_audio import FirstAudio
from wn_export.bench.run import Bench, run
from wn_export.parity import reference
from wn_runtime.engines import measured
from wn_runtime.engines.choice import open_in
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, ParityRow
from wn_runtime.model.package import ModelPackage

SPEC = CORNERS["two_conditions"]


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cold starts are slow; test_first_audio has them for real."""
    monkeypatch.setattr(bench, "first_audio", lambda *given: FirstAudio(12.0, 60.0))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_model(tmp_path / "voice", SPEC, ("fp32", "fp16"))


def run_onnx(model: Path, *batches: int) -> Bench:
    with engines("onnx"):
        return run(model, 0.01, batches or (1,), threads=(1,))


def bits_of(found: Bench) -> dict[str, float | None]:
    return {row.precision: row.delta_bits for row in found.rows}


def test_each_batch_is_a_row_and_counts_all_its_streams(model: Path) -> None:
    found = run_onnx(model, 1, 3)
    assert [(row.precision, row.batch) for row in found.rows] == [
        ("fp32", 1),
        ("fp16", 1),
        ("fp32", 3),
        ("fp16", 3),
    ]
    for row in found.rows:
        assert row.samples_per_second == pytest.approx(row.batch * 1e6 / row.us_median)
        # wn-run writes files where there are several streams, one a stream.
        assert (row.first_audio_ms is None) == (row.batch > 1)


def test_a_batch_that_an_engine_cannot_take_is_said_and_the_rest_measured(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(
        package: ModelPackage,
        artifact: Artifact | None,
        engine: str,
        precision: str,
        batch: int,
        threads: int,
    ) -> Engine:
        if batch > 1 or precision == "fp16":
            raise WavestepError("not so wide")
        return open_in(package, artifact, engine, precision, batch, threads)

    monkeypatch.setattr(bench, "open_in", narrow)
    found = run_onnx(model, 1, 8)
    assert [(row.precision, row.batch) for row in found.rows] == [("fp32", 1)]
    reasons = {one.precision: one.reason for one in found.unavailable}
    assert reasons == {"fp32": "8 streams: not so wide", "fp16": "not so wide"}, "the first stands"


def test_delta_bits_come_from_parity_where_it_was_proven(model: Path) -> None:
    proven = ParityRow("onnx", "fp16", 1e-3, 1e-4, 0.00321, 100, None, None, True)
    manifest = manifests.read(model)
    manifests.write(model, dataclasses.replace(manifest, parity=(proven,)))
    assert bits_of(run_onnx(model)) == {"fp16": 0.00321, "fp32": None}


def test_delta_bits_are_measured_where_only_a_reference_is(model: Path) -> None:
    made = reference_of(SPEC)
    predictions = tuple(dataclasses.replace(p, bits=p.bits - 1) for p in made.predictions)
    better = dataclasses.replace(made, predictions=predictions)
    path = model / manifests.REFERENCE
    reference.save(path, better)
    manifests.write(model, manifests.with_file(manifests.read(model), path))
    assert bits_of(run_onnx(model))["fp32"] == pytest.approx(1, abs=1e-4)


def test_the_choice_of_an_engine_goes_by_what_was_measured(model: Path) -> None:
    package = ModelPackage(model)
    assert measured.step_us(package, "onnx", "fp32", 3, 1) is None
    found = run_onnx(model, 1, 3)
    for row in found.rows:
        kept = measured.step_us(package, "onnx", row.precision, row.batch, 1)
        assert kept == pytest.approx(row.us_median)


def test_a_block_is_conditioned_on_the_first_value_of_everything(model: Path) -> None:
    package = ModelPackage(model)
    with engines("onnx"):
        engine = open_in(package, None, batch=3)
    bias = bench.bias_of_a_block(package.conditioner, engine)
    first = package.conditioner.whole({"speaker": "ann", "mood": "calm"}, 3, 1)
    assert bias is not None
    assert first is not None
    np.testing.assert_array_equal(bias, first)


def test_a_cold_start_that_fails_is_said_and_leaves_the_row(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*given: object) -> FirstAudio:
        raise WavestepError("wn-run makes no sound: error: full disk")

    monkeypatch.setattr(bench, "first_audio", silent)
    found = run_onnx(model)
    assert [row.first_audio_ms for row in found.rows] == [None, None]
    assert {one.reason for one in found.unavailable} == {
        "first audio: wn-run makes no sound: error: full disk"
    }


def test_a_changed_file_stops_the_bench(model: Path) -> None:
    (model / "step.fp16.onnx").write_bytes(b"changed")
    with pytest.raises(WavestepError, match=r"step\.fp16\.onnx has 7 bytes"):
        run_onnx(model)
