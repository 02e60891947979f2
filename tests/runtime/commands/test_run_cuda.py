"""wn-run --engine cuda on the real cuda-core and NVRTC, above a driver that has no GPU."""

from __future__ import annotations

import ctypes.util
import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import wn_runtime
from tests.cuda_on_cpu import device as stand_in
from tests.cuda_on_cpu.gpu import Gpu as StandIn
from tests.fake_libcuda import driver
from tests.fake_libcuda.driver import Machine
from tests.models.model_dir import write_model
from tests.models.specs import PLAIN, small_spec
from tests.runtime.engines.cuda.ahead import ORIN, add_cubin
from wn_runtime.engines import trust
from wn_runtime.engines.cuda.choose import VARIABLE, Kind
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.source import GENERATE, RESTORE, SNAPSHOT, source
from wn_runtime.model import manifest as manifests
from wn_runtime.output.encoders import pcm16

COMMAND = "from wn_runtime.commands.run import main; main()"
KERNELS = (GENERATE, SNAPSHOT, RESTORE)
SAMPLES = 240


@pytest.fixture(scope="module")
def machine(nvrtc: Any, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def model(machine: Machine, nvrtc: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its cubin for an Orin in float32 runs on the machine, and so does what NVRTC makes there."""
    directory = write_model(tmp_path_factory.mktemp("model") / "plain", PLAIN)
    artifact = add_cubin(directory, "fp32")
    text = source(Kind.of("alone:1").schedule(PLAIN, "fp32", ORIN))
    machine.provide(text, "87", (directory / artifact.file).read_bytes(), *KERNELS)
    return directory


def cubin_of(model: Path) -> Path:
    return next(model.glob("*.cubin"))


def wn_run(machine: Machine, model: Path, precision: str, raw: Path) -> tuple[int, str]:
    """The exit code and what is written to stderr."""
    seconds = str(SAMPLES / PLAIN.sample_rate)
    options = ("--engine", "cuda", "--precision", precision, "--seconds", seconds, "--seed", "3")
    done = machine.run("-c", COMMAND, str(model), *options, "--raw", str(raw))
    return done.returncode, done.stderr


def audio(machine: Machine, model: Path, precision: str, raw: Path) -> NDArray[np.int16]:
    code, said = wn_run(machine, model, precision, raw)
    assert code == 0, said
    assert machine.calls("left") == ["0 0 bytes"], "memory was not given back"
    launched = machine.calls("cuLaunchKernelEx")
    assert launched
    assert all(call.startswith(f"0 {GENERATE} ") for call in launched)
    return np.fromfile(raw, np.int16)


def expected(model: Path, engine: str, precision: str) -> NDArray[np.int16]:
    """What wn-run writes of another engine's samples."""
    with wn_runtime.open(model, engine, precision) as opened:
        return pcm16(opened.stream(seed=3).read(SAMPLES))[:, 0]


def test_from_the_weights_by_nvrtc_it_makes_what_the_native_engine_makes(
    machine: Machine, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bare = shutil.copytree(model, tmp_path / "bare")
    manifests.write(bare, dataclasses.replace(manifests.read(bare), artifacts=()))
    made = audio(machine, bare, "fp32", tmp_path / "made.raw")
    assert (tmp_path / "cache").exists(), "nothing was compiled"
    assert len(np.unique(made)) > 4
    np.testing.assert_array_equal(made, expected(model, "native", "fp32"))


def test_from_a_cubin_it_makes_the_same_and_compiles_nothing(
    machine: Machine, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = audio(machine, cubin_of(model), "fp32", tmp_path / "made.raw")
    assert not (tmp_path / "cache").exists()
    np.testing.assert_array_equal(made, expected(model, "native", "fp32"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "gpu", "launched"),
    [
        ("clustered:1", Gpu("9.0", 16, 227 * 1024), "clusters 1 of 3"),
        ("flagged:1", ORIN, "clusters 3 of 1"),
    ],
)
def test_several_blocks_make_what_they_make_on_the_stand_in(
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    gpu: Gpu,
    launched: str,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = write_model(tmp_path / "model", PLAIN)
    artifact = add_cubin(directory, "int8", kind, gpu=gpu)
    text = source(Kind.of(kind).schedule(PLAIN, "int8", gpu))
    machine.provide(text, str(gpu.sm), cubin_of(directory).read_bytes(), *KERNELS)
    here = dataclasses.replace(machine, gpu=f"arch={gpu.sm} shared={gpu.shared_bytes}")
    made = audio(here, directory / artifact.file, "int8", tmp_path / "made.raw")
    assert launched in here.calls("cuLaunchKernelEx")[0]
    stand_in.install(monkeypatch, StandIn(arch=str(gpu.sm)))
    monkeypatch.setenv(VARIABLE, kind)
    np.testing.assert_array_equal(made, expected(directory, "cuda", "int8"))


# What goes wrong: with the driver, the GPU, or the cubin; and the line that says so.
Change = Callable[[Path], None]


def rewrite(model: Path, code: bytes) -> None:
    """Another file in the cubin's place, which its user trusts as much."""
    path = cubin_of(model)
    path.write_bytes(code)
    manifest, record = manifests.read(model), manifests.record(path)
    trust.add({record.sha256: path.name})
    (artifact,) = (each for each in manifest.artifacts if each.file == path.name)
    manifests.write(model, manifests.with_artifact(manifest, artifact, record))


def of_another_gpu(model: Path) -> None:
    """Its record says 8.7 still."""
    code = bytearray(cubin_of(model).read_bytes())
    code[49] = 90  # e_flags, byte 1
    rewrite(model, bytes(code))


def damaged(model: Path) -> None:
    rewrite(model, b"\x7fELE" + cubin_of(model).read_bytes()[4:])


def of_another_model(model: Path) -> None:
    file = cubin_of(model)
    manifest = manifests.read(model)
    (artifact,) = (each for each in manifest.artifacts if each.file == file.name)
    shutil.move(file, model.parent)
    shutil.rmtree(model)
    write_model(model, small_spec((1, 2)))
    shutil.move(model.parent / file.name, model)
    record = manifests.record(model / file.name)
    manifests.write(model, manifests.with_artifact(manifests.read(model), artifact, record))


def as_it_is(_: Path) -> None:
    """Nothing is wrong with the model."""


BAD: dict[str, tuple[str, str, Change, str]] = {
    "no device": (
        "",
        "cuInit=100",
        as_it_is,
        r"no NVIDIA GPU can be used here \(CUDA_ERROR_NO_DEV",
    ),
    "a driver half updated": (
        "",
        "cuInit=803",
        as_it_is,
        "GPU 0 has a driver .* restart the machine",
    ),
    "an ancient driver": (
        "driver=11080",
        "",
        as_it_is,
        r"driver is of CUDA 11.8, the GPU engines need one of CUDA 12",
    ),
    "a driver too old for the cubin": (
        "driver=12060",
        "",
        as_it_is,
        r"was compiled by CUDA 13\.\d+ and this driver is of CUDA 12.6",
    ),
    "another GPU": (
        "arch=86",
        "",
        as_it_is,
        r"is for compute capability 8.7, this is Fake GPU \(8.6",
    ),
    "code for another GPU": ("", "", of_another_gpu, r"refuses \S+ \(CUDA_ERROR_NO_BINARY_FOR_GPU"),
    "damaged code": ("", "", damaged, r"refuses \S+ \(CUDA_ERROR_INVALID_IMAGE"),
    "another model": (
        "",
        "",
        of_another_model,
        r"from other sources, or for a model of other shapes",
    ),
    "exclusive use": (
        "",
        "cuDevicePrimaryCtxRetain=46",
        as_it_is,
        r"in exclusive use .*nvidia-smi -i 0",
    ),
    "a full GPU": (
        "",
        "cuDevicePrimaryCtxRetain=2",
        as_it_is,
        "GPU 0 has no memory left; close other",
    ),
    "too little memory": (
        "memory=20000",
        "",
        as_it_is,
        r"no [\d,]+ bytes left \(CUDA_ERROR_OUT_OF_MEMORY",
    ),
    "too little shared memory": (
        "shared=1024",
        "",
        as_it_is,
        r"bytes of shared memory a block, Fake GPU gives 1024",
    ),
    "a failed launch": (
        "",
        "launch@2=719",
        as_it_is,
        r"failed while copying from it: CUDA_ERROR_LAUNCH_FAILED.*state is lost",
    ),
    "a memory error": (
        "",
        "launch@2=214",
        as_it_is,
        r"failed while .*CUDA_ERROR_ECC_UNCORRECTABLE.*state is lost",
    ),
}


RARE = ("a driver half updated", "an ancient driver", "a full GPU", "a memory error")


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.slow] if case in RARE else []) for case in BAD],
)
def test_bad_input_is_one_line_and_exit_code_2(
    machine: Machine, model: Path, tmp_path: Path, case: str
) -> None:
    gpu, faults, change, words = BAD[case]
    directory = shutil.copytree(model, tmp_path / "model")
    change(directory)
    broken = dataclasses.replace(machine, gpu=gpu, faults=faults)
    code, said = wn_run(broken, cubin_of(directory), "fp32", tmp_path / "made.raw")
    assert code == 2
    assert re.fullmatch(rf"error: [^\n]*{words}[^\n]*\n", said), said
    assert not (tmp_path / "made.raw").exists()


def test_without_a_driver_it_is_said(
    machine: Machine, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ctypes.util.find_library("cuda"):
        pytest.skip("this machine has a driver")
    monkeypatch.setattr(driver, "library", lambda: tmp_path)
    code, said = wn_run(machine, model, "fp32", tmp_path / "made.raw")
    assert (code, said.count("\n")) == (2, 1)
    assert "its driver is not installed" in said or "none is in this machine" in said


def test_a_device_lost_in_mid_stream_the_last_snapshot_goes_on_in_another_engine(
    machine: Machine, model: Path
) -> None:
    done = machine.run("-m", "tests.runtime.engines.device_loop.on_driver", "lost", str(model))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "the streams' state is lost: open the engine again" in done.stdout
