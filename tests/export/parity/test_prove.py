"""What decides whether a directory is proven, and which precision becomes the native default."""

import numpy as np
import pytest

from tests import model_dir, specs
from wn_export.parity import prove as proof
from wn_export.parity.available import opened
from wn_export.parity.compare import Comparison
from wn_export.parity.prove import Proof
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.model.manifest import ParityRow


def row(engine, precision, passed):
    return ParityRow(engine, precision, 1e-6, 1e-7, 0.0, 100, None, None, passed)


def proven(*rows, named=False):
    nothing = np.zeros(1)
    comparisons = tuple(Comparison(each, (1.0,), nothing, nothing, False) for each in rows)
    return Proof(None, comparisons, (), strict=named)


def test_every_exported_precision_must_pass():
    assert proven(row("onnx", "fp32", True), row("onnx", "fp16", True)).passed
    assert not proven(row("onnx", "fp32", True), row("onnx", "fp16", False)).passed
    assert not proven(row("native", "fp32", False), row("onnx", "fp32", True)).passed


def test_nothing_compared_is_nothing_proven():
    assert not proven().passed
    assert not proven(row("native", "int8", True)).passed, "float32 was not among them"


def test_a_native_precision_that_fails_is_not_used_but_fails_nothing_else():
    rows = [row("native", "fp32", True), row("native", "bf16", True), row("native", "int8", False)]
    found = proven(*rows)
    assert found.passed
    assert found.native_precision == "bf16"
    assert not proven(*rows, named=True).passed, "asked for by name, every precision counts"


def test_the_fastest_native_precision_that_passed_is_the_default():
    rows = [row("native", "fp32", True), row("native", "int8", True)]
    assert proven(*rows).native_precision == "int8"
    assert proven(row("onnx", "fp32", True)).native_precision == "fp32", "native could not run"


def test_the_native_engine_is_offered_at_each_of_its_precisions(tmp_path):
    directory = model_dir.write_model(tmp_path / "voice", specs.PLAIN)
    try:
        found = [engine.precision for engine in opened(directory, "native", required=True)]
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    assert found == ["fp32", "bf16", "int8"]


def test_reports_come_without_the_page_where_matplotlib_is_missing(tmp_path, monkeypatch):
    from tests.export.parity.test_reference import small_reference

    directory = model_dir.write_model(tmp_path / "voice", specs.PLAIN)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    said = []
    result = Proof(small_reference(16), (), (), strict=False)
    manifest = proof.manifests.read(directory)
    proof.write_reports(directory, manifest, result, said.append)
    assert (directory / "report.json").exists()
    assert not (directory / "report.html").exists()
    assert said == ["report   report.json only: no report.html without matplotlib.figure"]
