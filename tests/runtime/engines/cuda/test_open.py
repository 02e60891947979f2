"""The cuda engine opens from the weights, or from a cubin and then without any compiler."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import wn_runtime
from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu.device import Program
from tests.cuda_on_cpu.gpu import Gpu
from tests.cuda_on_cpu.kernels import Occupancy
from tests.models.model_dir import with_default, write_model
from tests.models.specs import PLAIN, random_uniforms
from tests.runtime.engines.cuda.ahead import add_cubin
from wn_runtime.engines import registry, trust
from wn_runtime.engines.choice import by_speed, open_engine
from wn_runtime.engines.cuda import costs
from wn_runtime.engines.cuda import open as opening
from wn_runtime.engines.cuda.choose import VARIABLE, Kind
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.device_loop.device import DeviceLost
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.weights import Weights

pytestmark = pytest.mark.usefixtures("gpu")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gpu]:
    """An Orin that is the CPU, with a cache and a list of trusted code of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(VARIABLE, raising=False)
    machine = cuda.install(monkeypatch, Gpu(memory=2**31))
    yield machine
    machine.check_guards()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", PLAIN)


@pytest.fixture
def forget_nvrtc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """From the call on nothing can be compiled, and nothing was."""

    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("libnvrtc.so.12 was not found")

    def forget() -> None:
        monkeypatch.setattr(Program, "__init__", missing)
        monkeypatch.setitem(sys.modules, "cuda.bindings.nvrtc", None)
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)

    return forget


def test_it_is_made_from_the_weights_and_draws_what_the_native_engine_draws(
    directory: Path,
) -> None:
    uniforms = random_uniforms(24, 3)
    with closing(open_engine(directory, "cuda", "fp32", batch=3)) as engine:
        assert (engine.name, engine.precision, engine.batch) == ("cuda", "fp32", 3)
        assert "in shared memory" in engine.note or "in global memory" in engine.note
        made = engine.generate(None, uniforms)
    expected = open_engine(directory, "native", "fp32", batch=3).generate(None, uniforms)
    np.testing.assert_array_equal(made, expected)


def test_engines_of_a_package_share_their_packed_weights(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[Schedule] = []

    def counted(schedule: Schedule, weights: Weights) -> NDArray[np.uint8]:
        packed.append(schedule)
        return pack(schedule, weights)

    monkeypatch.setattr(opening, "pack", counted)
    with wn_runtime.open(directory, "cuda", "fp32") as model:
        one, two = model.stream(seed=1), model.stream(seed=1)
        np.testing.assert_array_equal(one.read_samples(4), two.read_samples(4))
    assert len(packed) == 1


def test_a_schedule_can_be_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "alone:2")
    with closing(open_engine(directory, "cuda", "int8", batch=4)) as engine:
        assert "for 2 streams" in engine.note
    monkeypatch.setenv(VARIABLE, "clustered:1")
    with pytest.raises(EngineUnavailable, match=r"needs a cluster .* capability 8.7"):
        open_engine(directory, "cuda", "int8")
    monkeypatch.setenv(VARIABLE, "alone:3")
    with pytest.raises(WavestepError, match=r"schedule 'alone:3' is unknown; give alone:N,"):
        open_engine(directory, "cuda", "int8")


def test_a_cubin_makes_what_is_compiled_here_and_needs_no_compiler(
    directory: Path, gpu: Gpu, forget_nvrtc: Callable[[], None]
) -> None:
    uniforms = random_uniforms(24, 3)
    with closing(open_engine(directory, "cuda", "int8", batch=3)) as engine:
        expected = engine.generate(None, uniforms)
    artifact = add_cubin(directory, "int8", "alone:2")
    forget_nvrtc()
    compiled = gpu.compiled
    for path, precision in ((directory, "int8"), (directory / artifact.file, None)):
        with closing(open_engine(path, "cuda", precision, batch=3)) as engine:
            assert "for 2 streams" in engine.note
            np.testing.assert_array_equal(engine.generate(None, uniforms), expected)
    assert gpu.compiled == compiled
    with pytest.raises(EngineUnavailable, match="NVRTC cannot compile"):
        open_engine(directory, "cuda", "fp32")


def test_of_several_cubins_the_cheapest_for_the_streams_is_taken(directory: Path) -> None:
    for kind in ("alone:1", "alone:8"):
        add_cubin(directory, "int8", kind)
    with closing(open_engine(directory, "cuda", "int8")) as engine:
        assert "for 8 streams" not in engine.note
    with closing(open_engine(directory, "cuda", "int8", batch=128)) as engine:
        assert "for 8 streams" in engine.note


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "another GPU": (
        {"compute_capability": "9.0"},
        r"int8.alone-1.cubin is for compute capability 9.0, this is Test GPU \(8.7\)",
    ),
    "an older driver": (
        {"nvrtc": "13.5"},
        r"compiled by CUDA 13.5 and this driver is of CUDA 12.6; update the driver",
    ),
    "another source": (
        {"source_sha256": "0" * 64},
        r"compiled from other sources, or for a model of other shapes",
    ),
    "another schedule": ({"schedule": "alone:2"}, r"compiled from other sources"),
    "shared memory": ({"shared_limit": 1}, r"compiled from other sources"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_cubin_of_something_else_is_one_line(
    directory: Path, case: str, forget_nvrtc: Callable[[], None]
) -> None:
    built, words = REFUSED[case]
    artifact = add_cubin(directory, "int8", **built)
    with pytest.raises(EngineUnavailable, match=words) as named:
        open_engine(directory / artifact.file)
    assert "\n" not in str(named.value)
    with closing(open_engine(directory, "cuda", "int8")) as engine:  # compiled here in its place
        assert engine.precision == "int8"
    forget_nvrtc()
    with pytest.raises(EngineUnavailable, match=words + r".*; or NVRTC cannot compile"):
        open_engine(directory, "cuda", "int8")


@pytest.mark.parametrize(
    ("built", "words"),
    [
        ({"compute_capability": "eight"}, "compute_capability is 'eight', not as 8.7"),
        ({"nvrtc": "13"}, "nvrtc is '13', not a version as 12.6"),
        ({"shared_limit": -1}, "shared_limit is -1; it must be 0 to"),
        ({"shared_limit": 2**40}, "it must be 0 to 1048576"),
        ({"schedule": "alone:999"}, "schedule 'alone:999' is unknown; give alone:N"),
        ({"registers": "many"}, "registers"),
        ({"regsters": 3}, "did you mean 'registers'"),
    ],
)
def test_a_broken_record_is_one_line_and_no_other_engine_hides_it(
    directory: Path, built: dict[str, Any], words: str
) -> None:
    artifact = add_cubin(directory, "int8", **built)
    for path in (directory / artifact.file, directory):
        with pytest.raises(
            WavestepError, match=rf"manifest\.json: {artifact.file}.*{words}"
        ) as told:
            open_engine(path, "cuda", "int8")
        assert not isinstance(told.value, EngineUnavailable)
        assert "\n" not in str(told.value)


def test_a_gpu_with_too_little_shared_memory_is_told(directory: Path, gpu: Gpu) -> None:
    artifact = add_cubin(directory, "int8")
    gpu.shared = 1024
    with pytest.raises(EngineUnavailable, match=r"bytes of shared memory a block, .* gives 1024"):
        open_engine(directory / artifact.file)
    with pytest.raises(EngineUnavailable, match="the GPU gives 1024; use another engine"):
        open_engine(directory, "cuda", "int8")


def test_too_little_memory_of_the_device_is_told(directory: Path, gpu: Gpu) -> None:
    gpu.memory = 2**16
    with pytest.raises(EngineUnavailable, match=r"has no .* (MiB|bytes) left"):
        open_engine(directory, "cuda", "int8", batch=64)
    assert not gpu.used


def test_code_that_nobody_trusts_does_not_run(
    directory: Path, forget_nvrtc: Callable[[], None]
) -> None:
    artifact = add_cubin(directory, "int8", trusted=False)
    with pytest.raises(trust.Untrusted, match="wn-run --trust"):
        open_engine(directory / artifact.file)
    with closing(open_engine(directory, "cuda", "int8")):  # compiled from sources of our own
        pass
    forget_nvrtc()
    with pytest.raises(EngineUnavailable, match="wn-run --trust"):
        open_engine(directory, "cuda", "int8")


def test_a_changed_file_and_bytes_that_are_no_code(directory: Path) -> None:
    artifact = add_cubin(directory, "int8")
    path = directory / artifact.file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WavestepError, match="truncated or changed"):
        open_engine(directory, "cuda", "int8")
    path.write_bytes(b"no code at all")
    record = manifests.record(path)
    trust.add({record.sha256: artifact.file})
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_artifact(manifest, artifact, record))
    with pytest.raises(WavestepError, match=r"refuses .*alone-1.cubin \(CUDA_ERROR_INVALID_IMAGE"):
        open_engine(directory, "cuda", "int8")


def test_a_gpu_in_exclusive_use_is_one_line(directory: Path, gpu: Gpu) -> None:
    gpu.lost = "CUDA_ERROR_DEVICE_UNAVAILABLE: devices are busy or unavailable"
    with pytest.raises(EngineUnavailable, match=r"in exclusive use by another .*nvidia-smi -i 0"):
        open_engine(directory, "cuda", "int8")


def test_a_gpu_that_is_too_old_is_told(directory: Path, gpu: Gpu) -> None:
    gpu.arch = "70"
    with pytest.raises(EngineUnavailable, match=r"capability 7.5 or newer, this GPU has 7.0"):
        open_engine(directory, "cuda", "int8")


def test_a_device_lost_in_mid_stream_the_last_snapshot_goes_on_elsewhere(
    directory: Path, gpu: Gpu
) -> None:
    with wn_runtime.open(directory, "native", "fp32") as native:
        expected = native.stream(seed=3).read_samples(60)
        with wn_runtime.open(directory, "cuda", "fp32") as model:
            stream = model.stream(seed=3)
            begin = stream.read_samples(40)
            snapshot = stream.snapshot()
            gpu.lose()
            with pytest.raises(DeviceLost, match="the streams' state is lost: open the engine"):
                stream.read_samples(4000)
            end = native.stream().restore(snapshot).read_samples(20)
    gpu.lost = None
    np.testing.assert_array_equal(np.concatenate([begin, end]), expected)


def test_it_is_tried_unasked_only_where_a_gpu_could_be(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_default(directory, "cuda", "int8")
    found = {}
    answers: dict[bool, Callable[[], bool]] = {True: lambda: True, False: lambda: False}
    for there, present in answers.items():
        kind = dataclasses.replace(CUDA, present=present)
        monkeypatch.setitem(registry.ENGINES, "cuda", kind)
        order = by_speed(ModelPackage(directory), None, 512, 1)
        found[there] = [each.name for each in order]
    assert found == {True: ["cuda", "native", "onnx"], False: ["native", "onnx"]}
    with closing(open_engine(directory, batch=2)) as engine:
        assert engine.name == "native"


def test_blocks_that_the_gpu_does_not_run_at_once_are_not_taken(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "FLAG_CYCLES", 0.0)  # so small a model takes them for nothing else
    monkeypatch.setattr(Kind, "tried", True)
    with closing(open_engine(directory, "cuda", "int8")) as engine:
        assert "Test GPU, 3 blocks, weights in shared memory" in engine.note
    monkeypatch.setattr(Occupancy, "blocks", 0)
    with closing(open_engine(directory, "cuda", "int8")) as engine:
        assert "Test GPU, a block, " in engine.note
    monkeypatch.setenv(VARIABLE, "flagged:1")
    with pytest.raises(EngineUnavailable, match=r"runs 0 blocks .* 3 wait for .*alone:1"):
        open_engine(directory, "cuda", "int8")


def test_a_cubin_of_blocks_that_wait_for_each_other_runs_as_many_as_are_there_at_once(
    gpu: Gpu, directory: Path, forget_nvrtc: Callable[[], None]
) -> None:
    artifact = add_cubin(directory, "int8", "flagged:1")
    assert artifact.file == "cuda.sm_87.int8.flagged-1.cubin"
    assert artifact.built["multiprocessors"] == gpu.multiprocessors == 16
    forget_nvrtc()
    with closing(open_engine(directory, "cuda", "int8", batch=2)) as engine:
        assert "Test GPU, 3 blocks, " in engine.note
    said = r"3 blocks a group of 1, which for 6 streams do not run at once on Test GPU \(16 "
    with pytest.raises(EngineUnavailable, match=said):
        open_engine(directory, "cuda", "int8", batch=6)


def test_a_launch_begins_where_the_one_before_left_off(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks count from its first step, whatever marks the one before has left."""
    uniforms = random_uniforms(24, 1)
    expected = []
    for name in ("alone:1", "flagged:1"):
        monkeypatch.setenv(VARIABLE, name)
        with closing(open_engine(directory, "cuda", "int8")) as engine:
            blocks = [engine.generate(None, part) for part in np.split(uniforms, 3)]
            expected.append(np.concatenate(blocks))
    assert len(expected[0]) == 24
    agree = (expected[0] == expected[1]).mean()
    assert agree > 0.9, "both draw from the same params, but for rounding"


def test_a_cluster_that_the_gpu_does_not_host_is_not_taken(
    gpu: Gpu, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu.arch = "90"
    monkeypatch.setenv(VARIABLE, "clustered:1")
    with closing(open_engine(directory, "cuda", "int8")) as engine:
        assert "cluster" in engine.note
    monkeypatch.setattr(Occupancy, "hosts", 2)
    with pytest.raises(EngineUnavailable, match=r"hosts no cluster of 3 blocks .*alone:1"):
        open_engine(directory, "cuda", "int8")
    monkeypatch.delenv(VARIABLE)
    with closing(open_engine(directory, "cuda", "int8")) as engine:
        assert "cluster" not in engine.note
