"""What decides whether a directory is proven, and which precision each engine takes by default."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.export.engines import engines
from tests.export.references import reference_of
from tests.models import model_dir, specs
from wn_export.parity.compare import Comparison
from wn_export.parity.prove import Proof, prove, write_reports
from wn_runtime.model.manifest import ConditionerRow, ParityRow
from wn_runtime.model.package import ModelPackage

REFERENCE = reference_of(specs.PLAIN)
RIGHT, WRONG = ConditionerRow("numpy", 1e-7, True), ConditionerRow("onnx", 0.1, False)


def row(engine: str, precision: str, passed: bool) -> ParityRow:
    return ParityRow(engine, precision, 1e-6, 1e-7, 0.0, 100, None, None, passed)


def proof(*rows: ParityRow, named: bool = False, bias: tuple[ConditionerRow, ...] = ()) -> Proof:
    nothing = np.zeros(1, np.float32)
    comparisons = tuple(Comparison(each, (1.0,), nothing, nothing, False) for each in rows)
    return Proof(REFERENCE, comparisons, bias, (), strict=named)


def test_every_exported_precision_must_pass() -> None:
    assert proof(row("onnx", "fp32", True), row("onnx", "fp16", True)).passed
    assert not proof(row("onnx", "fp32", True), row("onnx", "fp16", False)).passed
    assert not proof(row("native", "fp32", False), row("onnx", "fp32", True)).passed


def test_nothing_compared_is_nothing_proven() -> None:
    assert not proof().passed
    assert not proof(bias=(RIGHT,)).passed
    assert not proof(row("native", "int8", True)).passed, "float32 was not among them"


def test_every_way_of_making_the_bias_must_pass() -> None:
    good = row("onnx", "fp32", True)
    assert proof(good, bias=(RIGHT, RIGHT)).passed
    assert not proof(good, bias=(RIGHT, WRONG)).passed


def test_a_precision_that_nobody_exported_fails_nothing_else_and_is_not_used() -> None:
    rows = [row("native", "fp32", True), row("native", "bf16", True), row("native", "int8", False)]
    found = proof(*rows)
    assert found.passed
    assert found.default_precision == {"native": "bf16"}
    assert not proof(*rows, named=True).passed, "asked for by name, every precision counts"


def test_each_engines_default_is_the_fastest_precision_that_passed() -> None:
    rows = [
        *(row("native", precision, True) for precision in ("fp32", "bf16", "int8")),
        *(row("onnx", "fp32", True), row("onnx", "fp16", True)),
        row("tensorrt", "fp32", True),
    ]
    found = proof(*rows).default_precision
    assert found == {"native": "int8", "onnx": "fp32", "tensorrt": "fp32"}


def test_an_engine_that_did_not_pass_has_no_default() -> None:
    rows = [row("native", "fp32", False), row("onnx", "fp32", True)]
    assert proof(*rows).default_precision == {"onnx": "fp32"}


def test_what_cannot_run_here_is_told_and_fails_nothing(tmp_path: Path) -> None:
    package = ModelPackage(model_dir.write_model(tmp_path / "voice", specs.PLAIN))
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("every engine of step.onnx runs here")
    said: list[str] = []
    with engines("onnx", "onnx-cuda"):
        found = prove(package, REFERENCE, said.append)
    assert found.passed
    assert [line.split()[-1] for line in said] == ["PASS"]
    assert [(each.engine, each.precision) for each in found.unavailable] == [("onnx-cuda", "fp32")]
    assert "CUDAExecutionProvider" in found.unavailable[0].reason


def test_reports_come_without_the_page_where_matplotlib_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModelPackage(model_dir.write_model(tmp_path / "voice", specs.PLAIN))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    said: list[str] = []
    good = proof(row("onnx", "fp32", True), bias=(WRONG,))
    write_reports(package.directory, package.manifest, good, said.append)
    report = json.loads((package.directory / "report.json").read_text())
    assert not report["passed"]
    assert report["conditioners"] == [{"name": "onnx", "max_error": 0.1, "passed": False}]
    assert not (package.directory / "report.html").exists()
    assert said == ["report   report.json only: no report.html without matplotlib.figure"]
