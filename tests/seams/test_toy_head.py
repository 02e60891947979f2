"""A head defined in a test goes through train, export, parity and run: no source knows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu import tensorrt
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.law.engines import verify_engine_contract
from tests.models.specs import SPEAKER, random_weights, small_spec
from tests.seams.toy_head import StudentT, nll
from tests.seams.voice import tones, trained, utterances
from wn_export.package.export import Options, export_checkpoint
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.heads.registry import HEADS
from wn_runtime.model.spec import ModelSpec
from wn_train.heads.registry import LOSSES

SPEC = small_spec(
    (1, 2, 4, 8), residual=16, gate=32, conditions=(SPEAKER,), output=StudentT(), input_kernel=2
)


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    """All that a new head adds to the product's tables: two lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(HEADS, StudentT.kind, StudentT)
        patch.setitem(LOSSES, StudentT.kind, nll)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train") / "run"
    audio = tones()
    trained(folder, SPEC, utterances(SPEC, audio, [None] * len(audio)))
    return folder


@pytest.fixture(scope="module")
def directory(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("export") / "toy"
    said: list[str] = []
    options = Options(fp16=True, batch=2)
    assert export_checkpoint(run / "best.pt", target, options, said.append), "\n".join(said)
    return target


def test_it_is_a_spec_like_any_other() -> None:
    assert ModelSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
    assert SPEC.to_dict()["output"] == {"kind": "toy-student-t"}


def test_training_lowers_its_bits(run: Path) -> None:
    lines = (run / "said.txt").read_text().splitlines()
    first, last = (float(line.split(": ")[1].split(" ")[0]) for line in lines)
    assert last < first < 16


def test_every_engine_and_precision_is_proven(directory: Path) -> None:
    report = json.loads((directory / "report.json").read_text())
    assert report["passed"]
    rows = {(row["engine"], row["precision"]) for row in report["engines"] if row["passed"]}
    assert rows >= {("native", precision) for precision in PRECISIONS}
    assert rows >= {("onnx", "fp32"), ("onnx", "fp16")}


@pytest.mark.parametrize("engine", ["native", "onnx"])
def test_it_runs_in_blocks_of_any_size(directory: Path, engine: str) -> None:
    with wn_runtime.open(directory, engine, "fp32", batch=2) as model:
        whole = model.stream(seed=3, speaker="bob").read(600)
        pieces = model.stream(seed=3, speaker="bob")
        found = np.concatenate([pieces.read(n) for n in (1, 64, 200, 335)])
    assert np.array_equal(found, whole)
    assert np.abs(whole).max() > 0.01
    assert np.array_equal(whole, np.rint(whole * 32768) / 32768), "samples leave the grid"


def test_the_command_writes_a_file(directory: Path, tmp_path: Path) -> None:
    from wn_runtime.commands.run import main

    out = tmp_path / "toy.wav"
    main(
        [str(directory), "--speaker", "eve", "--seconds", "0.1", "-o", str(out)], None, None, False
    )
    assert out.stat().st_size > 1000


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_native_engine_obeys_the_contract_with_it(precision: str) -> None:
    weights = random_weights(SPEC)
    tolerance = {"fp32": 1e-5, "bf16": 2e-2, "int8": 5e-2}[precision]
    verify_engine_contract(NativeEngine(SPEC, weights, precision, 3), weights, tolerance)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_so_does_the_device_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    gpu = cuda.install(monkeypatch, cuda.Gpu())
    tensorrt.install(monkeypatch, gpu)
    engine = wn_runtime.open_engine(write_plan(tmp_path, SPEC, precision, 2) / PLAN, batch=2)
    tolerance = 1e-5 if precision == "fp32" else 2e-2
    verify_engine_contract(engine, random_weights(SPEC), tolerance, steps=32)
    engine.close()


def test_a_head_without_code_for_an_engine_makes_that_engine_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StudentT, "source", lambda self, suffix: None)
    with pytest.raises(EngineUnavailable, match="no code for the head 'toy-student-t'"):
        NativeEngine(SPEC, random_weights(SPEC), "fp32")


def test_samples_that_it_has_none_of_are_refused() -> None:
    engine = NativeEngine(SPEC, random_weights(SPEC), "fp32")
    bias = np.zeros((1, SPEC.layers, 1, SPEC.gate_channels), np.float32)
    with pytest.raises(WavestepError, match="samples hold NaN or infinity"):
        engine.score(np.full((4, 1), np.nan, np.float32), bias)
