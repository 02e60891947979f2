"""A plan that cannot run here is refused in one sentence, before TensorRT is asked."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.models.specs import PLAIN
from wn_runtime.engines import registry
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.onnx.kind import ONNX
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.engines.tensorrt.kind import TENSORRT
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests


def refused(directory: Path, tensorrt: Any, kind: type[WavestepError] = WavestepError) -> str:
    """The sentence; TensorRT must not have been asked."""
    with pytest.raises(kind) as error:
        open_engine(directory / PLAN)
    assert tensorrt.logger is None
    text = str(error.value)
    assert "\n" not in text
    return text


def test_for_another_gpu(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN, gpu="NVIDIA GeForce RTX 3060", compute_capability="8.6")
    assert refused(tmp_path, tensorrt, EngineUnavailable) == (
        f"{tmp_path / PLAN} was built for NVIDIA GeForce RTX 3060 (compute capability 8.6), this "
        f"is Test GPU (8.7); build it anew here with wn-export {tmp_path}"
    )


def test_with_another_tensorrt(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN, version="10.13.3.9")
    text = refused(tmp_path, tensorrt, EngineUnavailable)
    assert "was built with TensorRT 10.13.3.9, this is TensorRT 10.3.0; build it anew" in text


@pytest.mark.parametrize(("built", "runs"), [("10.1.0", True), ("11.4.0.106", False)])
def test_version_compatible_plans_run_in_later_versions_only(
    tmp_path: Path, tensorrt: Any, built: str, runs: bool
) -> None:
    write_plan(tmp_path, PLAIN, version=built, version_compatible=True)
    if runs:
        open_engine(tmp_path / PLAN).close()
    else:
        assert "was built with TensorRT 11.4" in refused(tmp_path, tensorrt, EngineUnavailable)


def test_for_another_kind_of_cpu(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN, platform="riscv64")
    assert "was built on riscv64, this machine is" in refused(tmp_path, tensorrt, EngineUnavailable)


def test_another_machine_s_plan_does_not_hinder_the_next_engine(
    tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`wn-run DIR` goes on with the reason said; naming the plan is an error."""
    write_plan(tmp_path, PLAIN, compute_capability="8.6")
    fastest = dataclasses.replace(TENSORRT, expected_us=lambda *_: 0.0)
    monkeypatch.setattr(registry, "ENGINES", {"onnx": ONNX, "tensorrt": fastest})
    said: list[str] = []
    assert open_engine(tmp_path, say=said.append).name == "onnx"
    assert len(said) == 1
    assert said[0].startswith("tensorrt: ")


def test_truncated(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    data = (tmp_path / PLAN).read_bytes()
    (tmp_path / PLAN).write_bytes(data[:100])
    text = refused(tmp_path, tensorrt)
    assert f"has 100 bytes, manifest.json says {len(data)}: truncated or changed; build" in text


def test_empty(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    (tmp_path / PLAN).write_bytes(b"")
    assert "engine.plan is empty; build it anew here" in refused(tmp_path, tensorrt)


def test_not_a_plan(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    size = (tmp_path / PLAN).stat().st_size
    (tmp_path / PLAN).write_bytes(b"x" * size)
    assert "is not the file manifest.json describes" in refused(tmp_path, tensorrt)


def test_missing(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    (tmp_path / PLAN).unlink()
    assert "does not exist" in refused(tmp_path, tensorrt)


def test_without_a_manifest_beside_it(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    (tmp_path / "manifest.json").unlink()
    assert "has no manifest.json beside it" in refused(tmp_path, tensorrt)


def test_of_a_graph_that_has_changed(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    graph = tmp_path / "step.onnx"
    graph.write_bytes(graph.read_bytes() + b" ")
    text = refused(tmp_path, tensorrt)
    assert "step.onnx has changed since engine.plan was built from it; build it anew" in text


def test_whose_graph_is_not_there_runs(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    (tmp_path / "step.onnx").unlink()
    open_engine(tmp_path / PLAN).close()


def test_with_a_record_that_says_nonsense(tmp_path: Path, tensorrt: Any) -> None:
    write_plan(tmp_path, PLAIN)
    data = json.loads((tmp_path / "manifest.json").read_text())
    data["artifacts"][-1]["built"]["compute_capabilty"] = "8.7"
    (tmp_path / "manifest.json").write_text(json.dumps(data))
    assert "key 'compute_capabilty' is unknown" in refused(tmp_path, tensorrt)


def test_the_record_survives_the_manifest(tmp_path: Path) -> None:
    write_plan(tmp_path, PLAIN, layers={"gemm": 3}, products={"fp16": 99})
    record = plan_record.read(tmp_path, manifests.read(tmp_path).artifacts[-1])
    assert (record.layers, record.products, record.gpu) == ({"gemm": 3}, {"fp16": 99}, "Test GPU")
