"""open_engine takes the fastest engine that runs here, or exactly the one that was named."""

from __future__ import annotations

import dataclasses
import json
import sys
import types

import pytest

from tests.model_dir import write_model
from tests.specs import CORNERS, PLAIN
from wn_runtime.engines import engine as engines
from wn_runtime.engines.engine import EngineUnavailable, open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests


@pytest.fixture
def only_onnx(monkeypatch):
    """A table in which nothing comes before onnx."""
    table = {name: kind for name, kind in engines.ENGINES.items() if name.startswith("onnx")}
    monkeypatch.setattr(engines, "ENGINES", table)
    return table


def put_first(monkeypatch, table, opener):
    """An engine `quick`, made from the weights, in front of all."""
    module = types.ModuleType("quick_engine")
    module.open_engine = opener
    monkeypatch.setitem(sys.modules, "quick_engine", module)
    kind = dataclasses.replace(engines.ENGINES["onnx"], module="quick_engine", runs=None)
    monkeypatch.setattr(engines, "ENGINES", {"quick": kind, **table})


def test_the_faster_engine_is_taken(tmp_path, monkeypatch, only_onnx):
    put_first(monkeypatch, only_onnx, lambda request: ("quick", request.batch, request.threads))
    opened = open_engine(write_model(tmp_path, PLAIN), batch=2, threads=3)
    assert opened == ("quick", 2, 3)


def test_why_the_faster_one_was_not_taken_is_said(tmp_path, monkeypatch, only_onnx):
    def no_compiler(request):
        raise EngineUnavailable("no C compiler; apt install gcc")

    put_first(monkeypatch, only_onnx, no_compiler)
    said = []
    directory = write_model(tmp_path, PLAIN)
    assert open_engine(directory, say=said.append).name == "onnx"
    assert said == ["quick: no C compiler; apt install gcc"]
    with pytest.raises(WavestepError, match="no C compiler"):
        open_engine(directory, "quick")


def test_a_broken_file_is_never_a_reason_for_another_engine(tmp_path, monkeypatch, only_onnx):
    def tampered(request):
        raise WavestepError("weights.safetensors is not the file manifest.json describes")

    put_first(monkeypatch, only_onnx, tampered)
    with pytest.raises(WavestepError, match="is not the file"):
        open_engine(write_model(tmp_path, PLAIN))


def test_a_file_names_engine_and_precision(tmp_path, only_onnx):
    directory = write_model(tmp_path, PLAIN, ("fp32", "fp16"))
    assert open_engine(directory).precision == "fp32"
    assert open_engine(directory / "step.fp16.onnx").precision == "fp16"
    assert open_engine(directory / manifests.MANIFEST).precision == "fp32"
    with pytest.raises(WavestepError, match="is fp16, not fp32"):
        open_engine(directory / "step.fp16.onnx", precision="fp32")


def test_a_file_of_another_engine_is_an_error(tmp_path):
    directory = write_model(tmp_path, PLAIN)
    with pytest.raises(WavestepError, match="is for the onnx engine, not for native"):
        open_engine(directory / "step.onnx", engine="native")
    with pytest.raises(WavestepError, match=r"engine file 'weights.safetensors' is unknown"):
        open_engine(directory / manifests.WEIGHTS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": "onxx"}, r"engine 'onxx' is unknown; .*\(did you mean 'onnx'\?\)"),
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"threads": -1}, "threads is -1; it must be at least 1"),
        (
            {"engine": "onnx", "precision": "int3"},
            "the onnx engine has no int3; its precisions are fp32, fp16",
        ),
    ],
)
def test_what_cannot_be_had_is_an_error(tmp_path, arguments, message):
    with pytest.raises(WavestepError, match=message):
        open_engine(write_model(tmp_path, CORNERS["plain"]), **arguments)


def test_no_model_no_manifest_and_nothing_exported_are_errors(tmp_path, only_onnx):
    with pytest.raises(WavestepError, match="does not exist"):
        open_engine(tmp_path / "nowhere")
    with pytest.raises(WavestepError, match="is not a model directory"):
        open_engine(tmp_path)
    (tmp_path / "step.onnx").write_bytes(b"")
    with pytest.raises(WavestepError, match=r"no manifest.json beside it"):
        open_engine(tmp_path / "step.onnx")
    directory = write_model(tmp_path / "bare", PLAIN, precisions=())
    with pytest.raises(WavestepError, match="nothing was exported for one"):
        open_engine(directory)


def test_an_artifact_of_an_engine_that_is_not_known_here_is_an_error(tmp_path):
    directory = write_model(tmp_path, PLAIN)
    path = directory / manifests.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["artifacts"][0]["engine"] = "quantum"
    path.write_text(json.dumps(manifest))
    with pytest.raises(WavestepError, match="engine 'quantum' is unknown"):
        open_engine(directory / "step.onnx")
