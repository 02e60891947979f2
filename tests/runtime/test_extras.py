"""The extra that errors and wn-doctor name is the machine's, and pip finds it in pyproject.toml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from wn_runtime import extras, installation, system_packages

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
R550 = {extras.DRIVER: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar 5 2024"}
R575 = {extras.DRIVER: "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.57.08"}
R580 = {extras.DRIVER: "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06"}
R580_BETA = {extras.DRIVER: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.42"}
JETPACK_6 = {extras.RELEASE: "# R36 (release), REVISION: 4.3", extras.MODEL: "Jetson Orin Nano"}
JETPACK_7_0 = {extras.RELEASE: "# R38 (release), REVISION: 2.0", extras.MODEL: "Jetson AGX Thor"}
JETPACK_7_2 = {extras.RELEASE: "# R39 (release), REVISION: 2.0", extras.MODEL: "Jetson AGX Orin"}
JETPACK_4 = {extras.RELEASE: "# R32 (release), REVISION: 7.1", extras.MODEL: "Jetson Nano"}
JETPACK_5 = {extras.RELEASE: "# R35 (release), REVISION: 4.1", extras.MODEL: "Jetson Xavier NX"}
CONTAINER = {extras.MODEL: "NVIDIA Jetson AGX Orin Developer Kit"}
THOR_CONTAINER = {extras.MODEL: "NVIDIA Jetson AGX Thor Developer Kit"}


@pytest.mark.parametrize(
    ("files", "cuda", "gpu", "tensorrt"),
    [
        ({}, None, "gpu", "tensorrt"),
        (R550, 12, "gpu-cuda12", "tensorrt-cuda12"),
        (R575, 12, "gpu-cuda12", "tensorrt-cuda12"),
        (R580_BETA, 12, "gpu-cuda12", "tensorrt-cuda12"),
        (R580, 13, "gpu", "tensorrt"),
        (JETPACK_6, 12, "jetpack6", "jetpack6"),
        (JETPACK_7_0, 13, "jetpack7", "jetpack7"),
        (JETPACK_7_2, 13, "jetpack7", "jetpack7"),
        (CONTAINER, 12, "jetpack6", "jetpack6"),
        (THOR_CONTAINER, 13, "jetpack7", "jetpack7"),
        ({extras.MODEL: "Raspberry Pi 5"}, None, "gpu", "tensorrt"),
    ],
)
def test_the_extra_is_of_the_cuda_that_runs_here(
    files: dict[str, str], cuda: int | None, gpu: str, tensorrt: str
) -> None:
    assert extras.cuda(files.get) == cuda
    assert extras.fitting("gpu", files.get) == gpu
    assert extras.fitting("tensorrt", files.get) == tensorrt


@pytest.mark.parametrize(("files", "release"), [(JETPACK_4, 4), (JETPACK_5, 5)])
def test_a_jetpack_before_6_is_told_that_its_gpu_is_of_no_use(
    files: dict[str, str], release: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = files.get
    assert (extras.jetpack(read), extras.old_jetpack(read)) == (release, release)
    assert extras.cuda(read) is None
    assert not extras.gpu_possible(read)
    why = extras.why_no_gpu(read)
    assert why == f"JetPack {release} has an older CUDA than the GPU engines take"
    for said in (extras.install_driver(read), extras.install_onnxruntime_gpu(read)):
        assert said.startswith("flash JetPack 6 or newer, if there is one for this board")
    monkeypatch.setattr("wn_runtime.system.here.system", lambda: "linux")
    assert f"--extra-index-url {extras.CPU_TORCH} " in extras.install_train(read)
    assert extras.old_jetpack(JETPACK_6.get) is None


def test_a_jetson_s_onnx_runtime_is_not_pypi_s() -> None:
    for machine, index in ((JETPACK_6, "jp6/cu126"), (JETPACK_7_0, "sbsa/cu130")):
        said = extras.install_onnxruntime_gpu(machine.get)
        assert said.endswith(f" --index-url {extras.AI_LAB}/{index} onnxruntime-gpu")
    assert extras.install_onnxruntime_gpu(R580.get) == installation.install("gpu")


PI = {extras.MODEL: "Raspberry Pi 5 Model B Rev 1.0"}


def test_pytorch_is_of_the_machines_gpu_or_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "ROOT", tmp_path)
    monkeypatch.setattr("wn_runtime.system.here.machine", lambda: "aarch64")
    monkeypatch.setattr("wn_runtime.system.here.system", lambda: "linux")
    assert extras.install_train(R580.get) == installation.install("train")
    assert f"--index-url {extras.AI_LAB}/jp6/cu126 " in extras.install_train(JETPACK_6.get)
    assert f"--extra-index-url {extras.CPU_TORCH} " in extras.install_train(PI.get)


def test_a_jetsons_tensorrt_is_jetpacks() -> None:
    apt = {"apt-get": "/usr/bin/apt-get"}.get
    assert "apt install python3-libnvinfer" in extras.install_tensorrt(JETPACK_6.get, apt)
    assert extras.install_tensorrt(R580.get, apt) == installation.install("tensorrt")


def test_what_is_compiled_where_it_is_installed_has_its_compiler_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {"apt-get": "/usr/bin/apt-get"}
    monkeypatch.setattr("wn_runtime.system.here.system", lambda: "linux")
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    monkeypatch.setattr(system_packages, "install", lambda what: f"get {what}")
    monkeypatch.setattr("shutil.which", programs.get)
    wanted = installation.install("features")
    first = f"get {system_packages.EXTENSIONS} && "
    assert extras.install_features() == first + wanted
    (tmp_path / "Python.h").touch()
    assert extras.install_features() == first + wanted, "headers alone"
    programs["g++"] = "/usr/bin/g++"
    assert extras.install_features() == wanted


def requirements() -> dict[str, dict[str, Requirement]]:
    """Extra to package to what it asks for."""
    project: dict[str, Any] = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    return {
        extra: {each.name: each for each in map(Requirement, texts)}
        for extra, texts in project["optional-dependencies"].items()
    }


@pytest.mark.parametrize(
    ("extra", "bindings", "nvrtc"),
    [
        ("gpu", "13.5.0", {"nvidia-cuda-nvrtc": "13.5.37"}),
        ("gpu-cuda12", "12.9.0", {"nvidia-cuda-nvrtc-cu12": "12.9.86"}),
        ("tensorrt", "13.5.0", {"nvidia-cuda-nvrtc": "13.5.37"}),
        ("tensorrt-cuda12", "12.9.10", {"nvidia-cuda-nvrtc-cu12": "12.9.86"}),
        ("jetpack6", "12.9.10", {"nvidia-cuda-nvrtc-cu12": "12.6.85"}),
        ("jetpack7", "13.0.3", {"nvidia-cuda-nvrtc": "13.0.88"}),
    ],
)
def test_each_extra_is_of_one_cuda_throughout(
    extra: str, bindings: str, nvrtc: dict[str, str]
) -> None:
    asked = requirements()[extra]
    versions = asked["cuda-bindings"].specifier
    taken = {
        version
        for version in ("12.8.0", "12.9.0", "12.9.10", "13.0.3", "13.5.0", "14.0.0")
        if version in versions
    }
    assert bindings in taken
    assert {version.split(".")[0] for version in taken} == {bindings.split(".")[0]}
    assert "12.8.0" not in taken, "cuda-core 1 cannot be imported with it"
    assert "1.2.2" in asked["cuda-core"].specifier
    assert "2.0" not in asked["cuda-core"].specifier
    assert {name for name in asked if "nvrtc" in name} == nvrtc.keys()
    for name, version in nvrtc.items():
        assert version in asked[name].specifier
    if extra.startswith("jetpack"):  # newer code than JetPack's CUDA may be refused
        assert not [name for name in asked if "tensorrt" in name or "onnxruntime" in name]
        newer = {"jetpack6": "12.8.93", "jetpack7": "13.1.80"}[extra]
        assert newer not in asked[next(iter(nvrtc))].specifier


def test_onnx_runtime_and_tensorrt_are_of_the_extra_s_cuda() -> None:
    asked = requirements()
    for extra, version, other in (("gpu", "1.31.1", "1.26.0"), ("gpu-cuda12", "1.26.0", "1.27.0")):
        assert version in asked[extra]["onnxruntime-gpu"].specifier
        assert other not in asked[extra]["onnxruntime-gpu"].specifier
    assert "10.3.0" in asked["tensorrt-cuda12"]["tensorrt-cu12"].specifier
    assert "11.4.0.106" in asked["tensorrt"]["tensorrt-cu13"].specifier
