"""What the GPU engines need: driver, TensorRT of a version that is covered, a Jetson's JetPack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.doctor.machines import ORT, Described, driver, jetson, script
from wn_runtime import installation
from wn_runtime.doctor import gpu
from wn_runtime.doctor.machine import Machine
from wn_runtime.doctor.report import examine


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("8.5.2", "missing"),
        ("10.2.0", "missing"),
        ("10.3.0", "ok"),
        ("11.4.1", "ok"),
        ("12.0.0", "missing"),
    ],
)
def test_tensorrt_outside_10_3_to_11_is_not_usable(
    tmp_path: Path, version: str, expected: str
) -> None:
    here = {"product": "TensorRT", "version": version}
    found = gpu.tensorrt(Described(tmp_path, {"tensorrt": here}), None)
    assert found.state == expected
    assert bool(found.fix) == (expected == "missing")


def test_tensorrt_rtx_stands_in_where_tensorrt_is_not(tmp_path: Path) -> None:
    here = {"product": "TensorRT-RTX", "version": "1.7.1"}
    found = gpu.tensorrt(Described(tmp_path, {"tensorrt": here}), None)
    assert found.state == "ok"
    assert "TensorRT-RTX 1.7.1" in found.detail


def test_the_probe_finds_whichever_of_the_two_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With modules of those names on the path, in a real interpreter."""
    environ = {"PATH": ""}
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, version in (("tensorrt_rtx", "1.7"), ("tensorrt", "10.3.0")):
        (tmp_path / f"{name}.py").write_text(f"__version__ = {version!r}\n")
        assert version in gpu.tensorrt(Machine(tmp_path, environ), None).detail
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.10 is missing')\n")
    found = gpu.tensorrt(Machine(tmp_path, environ), None)
    assert found.state == "missing"
    assert "libnvinfer.so.10" in found.detail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ModuleNotFoundError: No module named 'tensorrt'", "not installed"),
        ("ImportError: libnvinfer.so.10: cannot open shared object file", "libnvinfer.so.10"),
    ],
)
def test_absence_of_a_package_is_told_from_its_failure(
    tmp_path: Path, error: str, words: str
) -> None:
    machine = Described(tmp_path, {"tensorrt": {"error": error}})
    assert words in gpu.tensorrt(machine, None).detail


def test_a_driver_without_a_gpu_is_not_a_gpu(tmp_path: Path) -> None:
    found = gpu.driver(Described(tmp_path, {"libcuda.so.1": {"cuda": 12060, "gpus": []}}))
    assert found.state == "missing"
    assert "CUDA 12.6" in found.detail


DRIVERS = {
    "550.54.15": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 2024",
    "580.65.06": "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release",
}


@pytest.mark.parametrize(("version", "suffix"), [("550.54.15", "-cuda12"), ("580.65.06", "")])
def test_a_pc_is_told_the_extras_of_its_driver_s_cuda(
    tmp_path: Path, version: str, suffix: str
) -> None:
    driver(tmp_path, DRIVERS[version])
    machine = Described(tmp_path, {})
    assert gpu.nvrtc(machine).fix == installation.install(f"gpu{suffix}", without="onnxruntime-gpu")
    assert gpu.tensorrt(machine, None).fix == installation.install(f"tensorrt{suffix}")
    too_old = {"tensorrt": {"product": "TensorRT", "version": "8.5.2"}}
    found = gpu.tensorrt(Described(tmp_path, too_old), None)
    assert found.fix == installation.install(f"tensorrt{suffix}")


@pytest.mark.parametrize(("release", "extra"), [("R36", "jetpack6"), ("R38", "jetpack7")])
def test_a_jetson_is_told_the_extra_of_its_jetpack(
    tmp_path: Path, release: str, extra: str
) -> None:
    jetson(tmp_path, release=release)
    assert gpu.nvrtc(Described(tmp_path, {})).fix == installation.install(
        extra, without="onnxruntime-gpu"
    )


def test_an_nvrtc_newer_than_the_driver_s_cuda_is_not_usable(tmp_path: Path) -> None:
    """Its code would be refused when the engine opens."""
    driver(tmp_path, DRIVERS["550.54.15"])
    for version, state in (("13.5", "missing"), ("12.9", "ok")):
        found = gpu.nvrtc(Described(tmp_path, {"cuda.core": {"version": version}}))
        assert found.state == state
    found = gpu.nvrtc(Described(tmp_path, {"cuda.core": {"version": "13.5"}}))
    assert found.detail == "13.5 compiles for CUDA 13, which this driver does not run"
    assert found.fix == installation.install("gpu-cuda12", without="onnxruntime-gpu")


def test_a_driver_before_cuda_12_is_too_old(tmp_path: Path) -> None:
    old = {"cuda": 11080, "gpus": [["NVIDIA T4", "7.5", 15.8]]}
    found = gpu.driver(Described(tmp_path, {"libcuda.so.1": old}))
    assert (found.state, found.detail) == (
        "missing",
        "CUDA 11.8 is too old: 12 is needed, no GPU engine",
    )
    assert found.fix == "install NVIDIA's driver, 580 or newer, then restart"


@pytest.mark.parametrize(
    ("file", "text", "fix"),
    [
        ("etc/os-release", "NAME=x\nID=ubuntu\n", "sudo apt install nvidia-driver-580"),
        ("proc/version", "Linux version 6.6-microsoft-standard-WSL2", "on Windows"),
    ],
)
def test_where_a_driver_comes_from_is_the_systems_own(
    tmp_path: Path, file: str, text: str, fix: str
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    absent = {"libcuda.so.1": {"error": "OSError: libcuda.so.1: cannot open"}}
    assert fix in gpu.driver(Described(tmp_path, absent)).fix


def pci(root: Path, *vendors: str) -> None:
    for number, vendor in enumerate(vendors):
        folder = root / "sys/bus/pci/devices" / f"0000:00:{number:02}.0"
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(f"{vendor}\n")


def test_without_an_nvidia_gpu_nothing_of_it_is_missing(tmp_path: Path) -> None:
    pci(tmp_path, "0x8086", "0x1af4")
    machine = Described(tmp_path, {})
    assert not gpu.possible(machine, None)
    found = gpu.without(machine, gpu.driver(machine))
    assert (found.state, found.detail, found.fix) == ("-", "no NVIDIA GPU in this machine", "")
    assert not found.usable
    there = gpu.nvrtc(Described(tmp_path, {"cuda.core": {"version": "13.5"}}))
    assert gpu.without(machine, there) == there, "it compiles ahead"


def test_where_a_gpu_may_be_it_is_missed(tmp_path: Path) -> None:
    machine = Described(tmp_path, {})
    assert gpu.possible(machine, "Jetson Orin Nano")
    pci(tmp_path, "0x8086")
    assert not gpu.possible(machine, None)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/version").write_text("Linux version 6.6-microsoft-standard-WSL2")
    assert gpu.possible(machine, None), "Windows has it"
    (tmp_path / "proc/version").unlink()
    pci(tmp_path / "other", "0x8086", "0x10de")
    assert gpu.possible(Described(tmp_path / "other", {}), None)


def test_a_driver_that_is_loaded_shows_a_gpu(tmp_path: Path) -> None:
    pci(tmp_path, "0x8086")
    driver(tmp_path, DRIVERS["580.65.06"])
    assert gpu.possible(Described(tmp_path, {}), None)


def test_a_jetson_is_told_of_its_power_mode_and_the_wrong_wheel(tmp_path: Path) -> None:
    jetson(tmp_path)
    script(tmp_path / "bin", "nvpmodel", "echo 'NV Power Mode: 15W'; echo 0")
    script(tmp_path / "bin", "dpkg-query", "printf 6.2.1+b38")
    script(tmp_path / "bin", "apt-get", "")
    answers = {"onnxruntime": ORT, "version of onnxruntime-gpu": "1.31.1"}
    machine = Described(tmp_path, answers, str(tmp_path / "bin"))
    report = examine(machine, tmp_path / "cache")
    shown = {finding.subject: finding for finding in report.findings}
    assert shown["JetPack"].detail == "6.2.1+b38 on NVIDIA Jetson Orin Nano Developer Kit"
    assert shown["power mode"].state == "warn"
    assert "15W" in shown["power mode"].detail
    assert "nvpmodel -p" in shown["power mode"].fix
    assert "jetson-ai-lab" in shown["ONNX Runtime"].fix
    assert "python3-libnvinfer" in shown["TensorRT"].fix


@pytest.mark.parametrize(("release", "major"), [("R32", 4), ("R35", 5)])
def test_a_jetson_that_ends_before_jetpack_6_runs_models_on_its_cpu(
    tmp_path: Path, release: str, major: int
) -> None:
    jetson(tmp_path, "NVIDIA Jetson Xavier NX Developer Kit", release)
    report = examine(Described(tmp_path, {}, str(tmp_path / "bin")), tmp_path / "cache")
    shown = {finding.subject: finding for finding in report.findings}
    why = f"JetPack {major} has an older CUDA than the GPU engines take"
    for subject in ("NVIDIA driver", "NVRTC", "TensorRT"):
        assert (shown[subject].state, shown[subject].detail) == ("-", why)
        assert not shown[subject].fix, "nothing to install helps"
    assert shown["JetPack"].state == "warn"
    assert why in shown["JetPack"].detail
    assert "models run on the CPU" in shown["JetPack"].fix


def test_a_jetson_without_the_jetpack_package(tmp_path: Path) -> None:
    jetson(tmp_path)
    machine = Described(tmp_path, {}, str(tmp_path / "bin"))
    found = gpu.jetpack(machine, "Jetson")
    assert (found.state, found.fix) == ("warn", "sudo apt install nvidia-jetpack")
    assert "R36" in found.detail
