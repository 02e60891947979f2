"""An engine defined wholly in a test goes through export, parity, bench, doctor and run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.export.checkpoints import write_checkpoint
from tests.law.engines import verify_engine_contract
from tests.law.numpy_engine import NumpyEngine
from tests.models.specs import CORNERS
from wn_export.bench.run import run as bench
from wn_export.package.export import Options, export_checkpoint
from wn_runtime.doctor.machine import Machine
from wn_runtime.doctor.report import examine, summary
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.registry import ENGINES
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.work import Work

SPEC = CORNERS["two_conditions"]


class ToyEngine(NumpyEngine):
    """The layer equation in NumPy, under a name of its own."""

    def __init__(self, request: Request) -> None:
        package = request.package
        super().__init__(package.spec, package.weights, request.batch)
        self.name, self.precision = "toy", request.chosen_precision()
        self.note = "one line of NumPy after another"


def expected_us(work: Work, precision: str, batch: int, threads: int) -> float:
    return work.macs * batch / 1e3


TOY = EngineKind(
    name="toy",
    precisions=("fp32",),
    artifact=None,
    needs=("Python",),
    on_gpu=False,
    expected_us=expected_us,
    open=ToyEngine,
)


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    """All that a new engine adds to the product's tables: one line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "toy", TOY)
        yield


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    checkpoint = write_checkpoint(folder / "model.pt", SPEC)
    said: list[str] = []
    assert export_checkpoint(checkpoint, folder / "model", Options(), said.append)
    assert any("toy fp32" in line and "PASS" in line for line in said), said
    return folder / "model"


def test_it_obeys_the_contract(directory: Path) -> None:
    engine = wn_runtime.open_engine(directory, "toy", batch=2)
    assert (engine.name, engine.precision) == ("toy", "fp32")
    verify_engine_contract(engine, ModelPackage(directory).weights)


def test_parity_proves_it_to_be_the_model(directory: Path) -> None:
    rows = [row for row in manifests.read(directory).parity if row.engine == "toy"]
    assert [(row.precision, row.passed, row.first_difference) for row in rows] == [
        ("fp32", True, None)
    ]
    report = json.loads((directory / "report.json").read_text())
    assert "toy" in {row["engine"] for row in report["engines"]}


def test_it_draws_what_the_native_engine_draws(directory: Path) -> None:
    found = []
    for name in ("toy", "native"):
        with wn_runtime.open(directory, name, "fp32") as model:
            stream = model.stream(seed=5, speaker="bob", mood="loud")
            stream.read(37)
            found.append(stream.read_samples(200))
    assert np.array_equal(found[0], found[1])


def test_a_stream_moves_to_it_and_back(directory: Path) -> None:
    with wn_runtime.open(directory, "native", "fp32") as native:
        stream = native.stream(seed=2, speaker="eve")
        stream.read(50)
        snapshot = stream.snapshot()
        expected = stream.read_samples(100)
        with wn_runtime.open(directory, "toy") as toy:
            moved = toy.stream().restore(snapshot)
            begin = moved.read_samples(60)
            end = native.stream().restore(moved.snapshot()).read_samples(40)
    assert np.array_equal(np.concatenate([begin, end]), expected)


def test_the_bench_has_a_row_for_it_and_the_choice_goes_by_that(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert wn_runtime.open_engine(directory).name != "toy"
    # No process of its own is started: it would not know the toy.
    monkeypatch.setattr("wn_export.bench.run._start", lambda *arguments: None)
    rows = {(row.engine, row.precision): row for row in bench(directory, 0.05, [1], [1]).rows}
    assert rows["toy", "fp32"].delta_bits == pytest.approx(0, abs=1e-4)
    fastest = min(rows.values(), key=lambda row: row.us_median)
    assert wn_runtime.open_engine(directory).name == fastest.engine


def test_the_doctor_knows_it(tmp_path: Path) -> None:
    report = examine(Machine(), tmp_path)
    assert report.engines["toy"] is None
    assert "toy" in summary(report)


def test_what_it_lacks_is_said_and_the_next_is_taken(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: Request) -> Engine:
        raise EngineUnavailable("toys are put away; pip install toys")

    quick = EngineKind(
        name="toy",
        precisions=("fp32",),
        artifact=None,
        needs=("Python",),
        on_gpu=False,
        expected_us=lambda work, precision, batch, threads: 0.0,
        open=broken,
    )
    monkeypatch.setitem(ENGINES, "toy", quick)
    said: list[str] = []
    assert wn_runtime.open_engine(directory, say=said.append).name != "toy"
    assert said == ["toy: toys are put away; pip install toys"]
    with pytest.raises(WavestepError, match="toys are put away"):
        wn_runtime.open_engine(directory, "toy")
