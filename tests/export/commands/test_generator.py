"""wn-export --generator: one file more, recorded, proven in a row of its own, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.export.commands.invoke import error_of, run
from tests.export.engines import engines
from tests.export.references import reference_of
from tests.models.model_dir import records, write_model
from tests.models.specs import PLAIN, small_spec
from wn_export.commands import parity
from wn_export.commands.export import main
from wn_export.graphs.generator.graph import build_generator_graph
from wn_export.package import graph_files
from wn_export.parity import reference
from wn_runtime.commands import run as running
from wn_runtime.errors import WavestepError
from wn_runtime.heads.logistic import Logistic
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

FILE = "generator.onnx"
AMPLITUDES = small_spec((1, 64), output=Logistic(3))


@pytest.fixture(autouse=True)
def engines_of_onnx_runtime() -> Iterator[None]:
    with engines("onnx", "generator"):
        yield


def directory_of(path: Path, spec: ModelSpec) -> Path:
    """A model directory with a reference, that torch did not make."""
    directory = write_model(path, spec)
    reference.save(directory / manifests.REFERENCE, reference_of(spec))
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_file(manifest, directory / manifests.REFERENCE))
    return directory


@pytest.mark.parametrize("spec", [PLAIN, AMPLITUDES], ids=["classes", "amplitudes"])
def test_it_is_written_recorded_and_proven(tmp_path: Path, spec: ModelSpec) -> None:
    directory = directory_of(tmp_path / "voice", spec)
    result = run(main, directory, "--generator")
    assert result.exit_code == 0, result.output
    assert "graph    step.onnx, generator.onnx" in result.stdout
    assert "generator fp32 max|Δ|" in result.stdout
    manifest = manifests.read(directory)
    manifests.verify(directory, manifest)
    (artifact,) = (each for each in manifest.artifacts if each.file == FILE)
    assert (artifact.engine, artifact.precision, artifact.batch) == ("generator", "fp32", 1)
    assert (artifact.built["opset"], artifact.built["block"]) == (17, 64)
    uniforms = {"type": "int32", "shape": ["samples", 1, spec.output.uniforms]}
    assert artifact.built["inputs"]["uniforms"] == uniforms
    assert artifact.built["outputs"]["audio"] == {"type": "float32", "shape": ["samples", 1]}
    (row,) = (row for row in manifest.parity if row.engine == "generator")
    assert row.passed
    assert row.samples_compared == 60
    if spec is PLAIN:  # amplitudes may be a rounding apart
        assert row.first_difference is None
    assert row.delta_bits == pytest.approx(0, abs=1e-4)


def test_a_rebuild_keeps_it_and_parity_goes_on_proving_it(tmp_path: Path) -> None:
    directory = directory_of(tmp_path / "voice", PLAIN)
    assert run(main, directory, "--generator").exit_code == 0
    before = records(directory)[FILE]
    assert run(main, directory).exit_code == 0
    assert records(directory)[FILE] == before, "the same bytes, to the last"
    assert run(main, directory, "--batch", 2).exit_code == 0
    batches = {each.file: each.batch for each in manifests.read(directory).artifacts}
    assert batches == {"step.onnx": 2, FILE: 2}
    proven = run(parity.main, directory, "--engine", "generator")
    assert proven.exit_code == 0, proven.output
    report = tmp_path / "report.json"
    assert run(parity.main, directory, "--json", report).exit_code == 0
    rows = {row["engine"] for row in json.loads(report.read_text())["engines"]}
    assert rows == {"onnx", "generator"}


def test_without_the_flag_there_is_none(tmp_path: Path) -> None:
    directory = directory_of(tmp_path / "voice", PLAIN)
    assert run(main, directory).exit_code == 0
    assert FILE not in records(directory)


def test_wn_run_takes_the_file(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "voice", PLAIN, generator=True)
    out = tmp_path / "out.wav"
    result = run(running.main, directory / FILE, "--seconds", 0.05, "-o", out)
    assert result.exit_code == 0, result.output
    assert "generator fp32, 1 thread" in result.stdout
    assert out.stat().st_size == 44 + 2 * 400


def test_where_none_can_be_made_nothing_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = directory_of(tmp_path / "voice", PLAIN)
    before = records(directory)

    def refuse(*_given: object) -> None:
        raise WavestepError("no generator graph can be made for a toy head")

    monkeypatch.setattr(graph_files, "build_generator_graph", refuse)
    assert "for a toy head" in error_of(main, directory, "--generator")
    assert records(directory) == before
    assert [path.name for path in tmp_path.iterdir()] == ["voice"]


def test_one_that_fails_parity_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = directory_of(tmp_path / "voice", PLAIN)
    before = records(directory)

    def wrong(spec: ModelSpec, weights: Weights, batch: int) -> onnx.ModelProto:
        last = weights["head.1.weight"] * np.float32(1.01)
        return build_generator_graph(spec, {**weights, "head.1.weight": last}, batch)

    monkeypatch.setattr(graph_files, "build_generator_graph", wrong)
    result = run(main, directory, "--generator")
    assert result.exit_code == 1
    assert "generator fp32 max|Δ|" in result.stdout
    assert "FAIL" in result.stdout
    assert records(directory) == before
    assert (tmp_path / "voice.failed" / FILE).exists()
