"""A plan that cannot run here is refused in one sentence, before TensorRT is asked."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu import tensorrt as trt
from tests.cuda_on_cpu.plan_dir import PLAN, write_plan
from tests.specs import PLAIN
from wn_runtime.commands.run import main
from wn_runtime.engines.engine import EngineUnavailable, open_engine
from wn_runtime.engines.tensorrt import plan_record
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests


@pytest.fixture
def tensorrt(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return trt.install(monkeypatch, cuda.install(monkeypatch, cuda.Gpu()))


def refused(directory, tensorrt, kind=WavestepError):
    """The sentence; TensorRT must not have been asked."""
    with pytest.raises(kind) as error:
        open_engine(directory / PLAN)
    assert tensorrt.logger is None
    text = str(error.value)
    assert "\n" not in text
    return text


def test_for_another_gpu(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN, gpu="NVIDIA GeForce RTX 3060", compute_capability="8.6")
    assert refused(tmp_path, tensorrt, EngineUnavailable) == (
        f"{tmp_path / PLAN} was built for NVIDIA GeForce RTX 3060 (compute capability 8.6), this "
        f"is Test GPU (8.7); rebuild it here with wn-run {tmp_path} --rebuild"
    )


def test_with_another_tensorrt(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN, version="10.13.3.9")
    text = refused(tmp_path, tensorrt, EngineUnavailable)
    assert "was built with TensorRT 10.13.3.9, this is TensorRT 10.3.0; rebuild it" in text


@pytest.mark.parametrize(("built", "runs"), [("10.1.0", True), ("11.4.0.106", False)])
def test_version_compatible_plans_run_in_later_versions_only(tmp_path, tensorrt, built, runs):
    write_plan(tmp_path, PLAIN, version=built, version_compatible=True)
    if runs:
        open_engine(tmp_path / PLAN).close()
    else:
        assert "was built with TensorRT 11.4" in refused(tmp_path, tensorrt, EngineUnavailable)


def test_for_another_kind_of_cpu(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN, platform="riscv64")
    assert "was built on riscv64, this machine is" in refused(tmp_path, tensorrt, EngineUnavailable)


def test_another_machine_s_plan_does_not_hinder_the_next_engine(tmp_path, tensorrt, monkeypatch):
    """`wn-run DIR` goes on with the reason said; naming the plan is an error."""
    write_plan(tmp_path, PLAIN, compute_capability="8.6")
    monkeypatch.setattr("wn_runtime.engines.engine.ENGINES", {
        name: kind for name, kind in __import__("wn_runtime.engines.engine").engine.ENGINES.items()
        if name in ("tensorrt", "onnx")
    })  # fmt: skip
    said = []
    assert open_engine(tmp_path, say=said.append).name == "onnx"
    assert len(said) == 1
    assert said[0].startswith("tensorrt: ")


def test_truncated(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    data = (tmp_path / PLAN).read_bytes()
    (tmp_path / PLAN).write_bytes(data[:100])
    text = refused(tmp_path, tensorrt)
    assert f"has 100 bytes, manifest.json says {len(data)}: truncated or changed; rebuild" in text


def test_empty(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    (tmp_path / PLAN).write_bytes(b"")
    assert "engine.plan is empty; rebuild it here" in refused(tmp_path, tensorrt)


def test_not_a_plan(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    size = (tmp_path / PLAN).stat().st_size
    (tmp_path / PLAN).write_bytes(b"x" * size)
    assert "is not the file manifest.json describes" in refused(tmp_path, tensorrt)


def test_missing(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    (tmp_path / PLAN).unlink()
    assert "does not exist" in refused(tmp_path, tensorrt)


def test_without_a_manifest_beside_it(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    (tmp_path / "manifest.json").unlink()
    assert "has no manifest.json beside it" in refused(tmp_path, tensorrt)


def test_of_a_graph_that_has_changed(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    graph = tmp_path / "step.onnx"
    graph.write_bytes(graph.read_bytes() + b" ")
    assert "step.onnx has changed since engine.plan was built from it; rebuild" in refused(
        tmp_path, tensorrt
    )


def test_whose_graph_is_not_there_runs(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    (tmp_path / "step.onnx").unlink()
    open_engine(tmp_path / PLAN).close()


def test_with_a_record_that_says_nonsense(tmp_path, tensorrt):
    write_plan(tmp_path, PLAIN)
    data = json.loads((tmp_path / "manifest.json").read_text())
    data["artifacts"][-1]["built"]["compute_capabilty"] = "8.7"
    (tmp_path / "manifest.json").write_text(json.dumps(data))
    assert "key 'compute_capabilty' is unknown" in refused(tmp_path, tensorrt)


def test_the_record_survives_the_manifest(tmp_path):
    write_plan(tmp_path, PLAIN, layers={"gemm": 3}, products={"fp16": 99})
    record = plan_record.read(tmp_path, manifests.read(tmp_path).artifacts[-1])
    assert (record.layers, record.products, record.gpu) == ({"gemm": 3}, {"fp16": 99}, "Test GPU")


def test_rebuilding_gives_the_builder_s_reason_in_one_line(tmp_path, monkeypatch):
    """The builder runs in a process of its own, where here there is no GPU."""
    write_plan(tmp_path, PLAIN)
    before = (tmp_path / PLAN).read_bytes()
    with pytest.raises(WavestepError, match=r"TensorRT|GPU") as error:
        plan_record.rebuild(tmp_path)
    assert "\n" not in str(error.value)
    assert not str(error.value).startswith("error: ")
    assert (tmp_path / PLAN).read_bytes() == before


def test_rebuilding_what_is_no_model_directory_is_said(tmp_path):
    with pytest.raises(WavestepError, match="is not a model directory"):
        plan_record.rebuild(tmp_path)


def test_wn_run_rebuild_is_that(tmp_path, monkeypatch):
    """Without TensorRT or a GPU: one line, exit code 2. What it does with them is in tests/gpu."""
    write_plan(tmp_path, PLAIN)
    result = CliRunner().invoke(main, [str(tmp_path / PLAN), "--rebuild"])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert "TensorRT" in result.stderr or "GPU" in result.stderr
