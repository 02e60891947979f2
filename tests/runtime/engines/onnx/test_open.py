"""Opening the ONNX engine: a file at fault is named in one line, and nothing runs in its place."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.engines.choice import open_engine
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", CORNERS["plain"])


def replaced(directory: Path, name: str, data: bytes) -> None:
    """Put `data` in place of a file, with a manifest that vouches for it."""
    (directory / name).write_bytes(data)
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_file(manifest, directory / name))


def test_a_changed_or_truncated_graph_is_named(directory: Path) -> None:
    graph = directory / "step.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-7])
    with pytest.raises(WavestepError, match=r"step.onnx has \d+ bytes.*truncated or changed"):
        open_engine(directory, "onnx")
    graph.write_bytes(whole[:-7] + b"tamper!")
    with pytest.raises(WavestepError, match=r"step.onnx is not the file .*sha256"):
        open_engine(directory, "onnx")
    graph.unlink()
    with pytest.raises(WavestepError, match=r"step.onnx cannot be read"):
        open_engine(directory, "onnx")


def test_what_is_not_a_graph_is_one_line(directory: Path) -> None:
    replaced(directory, "step.onnx", b"not a graph")
    with pytest.raises(WavestepError, match=r"step.onnx is refused: it is no ONNX graph") as caught:
        open_engine(directory, "onnx")
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, EngineUnavailable)


def test_another_models_graph_is_refused_before_it_runs(tmp_path: Path, directory: Path) -> None:
    other = write_model(tmp_path / "other", CORNERS["kernel_3"])
    replaced(directory, "step.onnx", (other / "step.onnx").read_bytes())
    with pytest.raises(WavestepError, match="this model has"):
        open_engine(directory, "onnx")


def test_a_graph_with_an_input_too_many_is_refused(directory: Path) -> None:
    graph = onnx.load(directory / "step.onnx")
    graph.graph.input.append(onnx.helper.make_tensor_value_info("extra", 1, [1]))
    replaced(directory, "step.onnx", graph.SerializeToString())
    with pytest.raises(WavestepError, match=r"input extra is float32 \(1,\), .* no such input"):
        open_engine(directory, "onnx")


def test_a_precision_that_was_not_exported_names_the_way_to_it(directory: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"no fp16 step graph \(it has fp32\).*--fp16"):
        open_engine(directory, "onnx", "fp16")


def test_without_the_cuda_provider_onnx_cuda_is_an_error_and_no_fallback(directory: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("the CUDA provider is here")
    with pytest.raises(
        EngineUnavailable, match=r"no CUDAExecutionProvider; .*pip install .*\[gpu\]"
    ):
        open_engine(directory, "onnx-cuda")
