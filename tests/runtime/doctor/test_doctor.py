"""wn-doctor names what is missing, what that costs and how to mend it, on any machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from wn_runtime.commands.doctor import cache_folder
from wn_runtime.doctor import audio, cpu, gpu
from wn_runtime.doctor.machine import Machine
from wn_runtime.doctor.report import Report, examine, summary
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.engines.engine import ENGINES

RUNTIME = Path(cpu.__file__).parents[2]
TRT = {"product": "TensorRT", "version": "10.13.3.9"}
ORT = {"providers": ["CUDAExecutionProvider", "CPUExecutionProvider"]}
H200 = {"cuda": 13000, "gpus": [["NVIDIA H200", "9.0", 150.1]]}


class Described(Machine):
    """A machine whose imports answer as told: the probe's module name to its answer."""

    def __init__(self, root: Path, answers: dict[str, Any], path: str = "") -> None:
        super().__init__(root, {"PATH": path, "HOME": str(root)})
        self.answers = answers

    def python(self, code: str, timeout: float = 30.0) -> dict[str, Any]:
        for module, answer in self.answers.items():
            if f"import {module}" in code or f'CDLL("{module}")' in code:
                return answer
        return {"error": "ModuleNotFoundError: No module named 'unasked'"}

    def version(self, distribution: str) -> str | None:
        return self.answers.get(f"version of {distribution}")


def script(directory: Path, name: str, text: str) -> None:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def state(report: Report) -> dict[str, str]:
    return {finding.subject: finding.state for finding in report.findings}


def jetson(root: Path, model: str = "NVIDIA Jetson Orin Nano Developer Kit") -> None:
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_bytes(model.encode() + b"\0")
    (root / "etc").mkdir()
    (root / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3, GCID: 1\n")


def test_a_bare_machine_gets_a_full_report_and_exit_code_1(tmp_path):
    """A fresh interpreter with click alone, and nothing at all on PATH."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "click").symlink_to(Path(click.__file__).parent)
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", "--symlinks", tmp_path / "bare"], check=True
    )
    done = subprocess.run(
        [tmp_path / "bare/bin/python", "-m", "wn_runtime.doctor", "--json"],
        env={"PYTHONPATH": f"{base}:{RUNTIME}", "PATH": str(base), "HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert not any(engine["runs"] for engine in report["engines"].values())
    missing = {f["subject"]: f for f in report["findings"] if f["state"] == "missing"}
    assert missing.keys() >= {"C compiler", "ONNX Runtime", "NVIDIA driver", "NVRTC", "TensorRT"}
    assert all(f["fix"] and "\n" not in f["fix"] + f["detail"] for f in missing.values())


def test_nothing_heavy_is_imported_in_the_process_itself():
    code = (
        "import sys, pathlib\n"
        "from wn_runtime.doctor.machine import Machine\n"
        "from wn_runtime.doctor.report import examine\n"
        "examine(Machine(), pathlib.Path('/tmp'))\n"
        "heavy = {'onnxruntime', 'tensorrt', 'cuda', 'sounddevice', 'soundfile', 'torch'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_engine_of_a_complete_pc_runs(tmp_path):
    script(tmp_path / "bin", "cc", f'exec {compiler_here()} "$@"')
    answers = {
        "onnxruntime": ORT, "version of onnxruntime-gpu": "1.31.1",
        "libcuda.so.1": H200, "cuda.core": {"version": "13.5"}, "version of cuda-core": "1.2",
        "tensorrt": TRT, "soundfile": {"version": "1.2"},
        "sounddevice": {"name": "HDMI", "rate": 48000.0},
    }  # fmt: skip
    machine = Described(tmp_path, answers, f"{tmp_path / 'bin'}:/usr/bin:/bin")
    report = examine(machine, tmp_path / "cache")
    assert all(lack is None for lack in report.engines.values())
    assert "missing" not in state(report).values()
    assert summary(report) == "engines  run here: native, onnx, onnx-cuda, onnx-cuda-loop, tensorrt"
    shown = {finding.subject: finding.detail for finding in report.findings}
    assert shown["NVIDIA driver"] == "CUDA 13.0: NVIDIA H200, sm 9.0, 150.1 GB"
    assert shown["ONNX Runtime"] == "1.31.1: CUDA, CPU"


def compiler_here() -> str:
    path = Machine().which("gcc") or Machine().which("cc") or Machine().which("clang")
    if path is None:
        pytest.skip("no C compiler on this machine")
    return path


def test_the_engines_that_lack_something_say_what(tmp_path):
    answers = {"onnxruntime": {"providers": ["CPUExecutionProvider"]}, "libcuda.so.1": H200}
    report = examine(Described(tmp_path, answers), tmp_path / "cache")
    assert report.runs
    assert report.engines == {
        "native": "C compiler",
        "onnx": None,
        "onnx-cuda": "its CUDA provider",
        "onnx-cuda-loop": "NVRTC",
        "tensorrt": "NVRTC",
    }


@pytest.mark.parametrize(
    ("version", "expected"),
    [("8.5.2", "missing"), ("10.2.0", "missing"), ("10.3.0", "ok"), ("11.4.1", "ok"),
     ("12.0.0", "missing")],
)  # fmt: skip
def test_tensorrt_outside_10_3_to_11_is_not_usable(tmp_path, version, expected):
    here = {"product": "TensorRT", "version": version}
    found = gpu.tensorrt(Described(tmp_path, {"tensorrt": here}), None)
    assert found.state == expected
    assert bool(found.fix) == (expected == "missing")


def test_tensorrt_rtx_stands_in_where_tensorrt_is_not(tmp_path):
    here = {"product": "TensorRT-RTX", "version": "1.7.1"}
    found = gpu.tensorrt(Described(tmp_path, {"tensorrt": here}), None)
    assert (found.state, "TensorRT-RTX 1.7.1" in found.detail) == ("ok", True)


def test_the_probe_finds_whichever_of_the_two_is_installed(tmp_path):
    """With modules of those names on the path, in a real interpreter."""
    environ = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    for name, version in (("tensorrt_rtx", "1.7"), ("tensorrt", "10.3.0")):
        (tmp_path / f"{name}.py").write_text(f"__version__ = {version!r}\n")
        assert version in gpu.tensorrt(Machine(tmp_path, environ), None).detail
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.10 is missing')\n")
    found = gpu.tensorrt(Machine(tmp_path, environ), None)
    assert (found.state, "libnvinfer.so.10" in found.detail) == ("missing", True)


def test_a_jetson_is_told_of_its_power_mode_and_the_wrong_wheel(tmp_path):
    jetson(tmp_path)
    script(tmp_path / "bin", "nvpmodel", "echo 'NV Power Mode: 15W'; echo 0")
    script(tmp_path / "bin", "dpkg-query", "printf 6.2.1+b38")
    answers = {"onnxruntime": ORT, "version of onnxruntime-gpu": "1.31.1"}
    machine = Described(tmp_path, answers, str(tmp_path / "bin"))
    report = examine(machine, tmp_path / "cache")
    shown = {finding.subject: finding for finding in report.findings}
    assert shown["JetPack"].detail == "6.2.1+b38 on NVIDIA Jetson Orin Nano Developer Kit"
    assert shown["power mode"].state == "warn"
    assert "15W" in shown["power mode"].detail
    assert "nvpmodel -m 0" in shown["power mode"].fix
    assert "Jetson AI Lab" in shown["ONNX Runtime"].fix
    assert "python3-libnvinfer" in shown["TensorRT"].fix


def test_a_jetson_in_maxn_without_the_jetpack_package(tmp_path):
    jetson(tmp_path)
    script(tmp_path / "bin", "nvpmodel", "echo 'NV Power Mode: MAXN_SUPER'; echo 2")
    machine = Described(tmp_path, {}, str(tmp_path / "bin"))
    assert gpu.power_mode(machine, "Jetson").state == "ok"
    found = gpu.jetpack(machine, "Jetson")
    assert (found.state, found.fix) == ("warn", "sudo apt install nvidia-jetpack")
    assert "R36" in found.detail


def test_two_onnx_runtimes_in_one_environment_are_a_warning(tmp_path):
    answers = {"onnxruntime": ORT, "version of onnxruntime": "1.30",
        "version of onnxruntime-gpu": "1.31"}  # fmt: skip
    found, providers = cpu.onnx_runtime(Described(tmp_path, answers), jetson=False)
    assert found.state == "warn"
    assert "uninstall" in found.fix
    assert providers == ORT["providers"]


def test_an_onnx_runtime_that_crashes_is_missing_with_its_reason(tmp_path):
    answers = {"onnxruntime": {"error": "it crashed with signal 11"},
               "version of onnxruntime": "1.30"}  # fmt: skip
    found, providers = cpu.onnx_runtime(Described(tmp_path, answers), jetson=False)
    assert found.state == "missing"
    assert "signal 11" in found.detail
    assert providers == []


def test_a_compiler_that_cannot_link_is_not_taken_for_one(tmp_path):
    script(tmp_path / "bin", "cc", "echo 'cc: fatal error: no crti.o' >&2; exit 1")
    found = cpu.compiler(Described(tmp_path, {}, str(tmp_path / "bin")))
    assert found.state == "missing"
    assert "no crti.o" in found.detail
    assert "libc6-dev" in found.fix


def test_a_compiler_that_claims_success_but_writes_nothing_is_not_taken_for_one(tmp_path):
    script(tmp_path / "bin", "cc", "exit 0")
    assert cpu.compiler(Described(tmp_path, {}, str(tmp_path / "bin"))).state == "missing"


def test_cc_of_the_environment_is_the_only_one_tried(tmp_path):
    machine = Machine(tmp_path, {"PATH": "/usr/bin:/bin", "CC": "no-such-cc -O2"})
    found = cpu.compiler(machine)
    assert found.state == "missing"
    assert "no-such-cc" in found.detail
    assert "unset" in found.fix


@pytest.mark.parametrize(("mode", "expected"), [(0o700, "ok"), (0o755, "warn"), (0o777, "warn")])
def test_the_cache_must_be_ours_alone(tmp_path, mode, expected):
    directory = tmp_path / "cache"
    directory.mkdir()
    directory.chmod(mode)
    found = cpu.cache(directory)
    assert found.state == expected
    assert ("chmod 700" in found.fix) == (expected == "warn")


def test_a_cache_that_is_a_file_is_named(tmp_path):
    path = tmp_path / "cache"
    path.write_text("")
    assert cpu.cache(path).state == "missing"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_made_is_named(tmp_path):
    tmp_path.chmod(0o500)
    assert cpu.cache(tmp_path / "a" / "b").state == "missing"


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("ModuleNotFoundError: No module named 'sounddevice'", "wavestep[play]"),
        ("OSError: PortAudio library not found", "libportaudio2"),
        ("sounddevice.PortAudioError: Error querying device -1", "-o"),
    ],
)
def test_each_way_of_having_no_loudspeaker_has_its_own_fix(tmp_path, error, fix):
    found = audio.output(Described(tmp_path, {"sounddevice": {"error": error}}))
    assert found.state == "missing"
    assert fix in found.fix


def test_a_driver_without_a_gpu_is_not_a_gpu(tmp_path):
    found = gpu.driver(Described(tmp_path, {"libcuda.so.1": {"cuda": 12060, "gpus": []}}), None)
    assert found.state == "missing"
    assert "CUDA 12.6" in found.detail


def test_a_probe_that_crashes_hangs_or_babbles_is_an_answer_too():
    machine = Machine()
    crash = machine.python("import os; os.kill(os.getpid(), 11)")
    assert "signal 11" in crash["error"]
    hang = machine.python("while True: pass", timeout=0.2)
    assert "no answer in 0.2 s" in hang["error"]
    assert "error" in machine.python("print('not json')")
    assert machine.python("import warnings; print('noise'); print('{\"a\": 1}')") == {"a": 1}
    assert machine.run(["/no/such/program"])[0] == 127


def test_a_machine_without_proc_still_has_a_cpu_line(tmp_path):
    found = cpu.processor(Described(tmp_path, {}))
    assert found.state == "warn"
    assert "cores" in found.detail


def test_arm_features_are_read_from_cpuinfo(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp\n")
    assert "asimd asimddp" in cpu.processor(Described(tmp_path, {})).detail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("ModuleNotFoundError: No module named 'tensorrt'", "not installed"),
        ("ImportError: libnvinfer.so.10: cannot open shared object file", "libnvinfer.so.10"),
    ],
)
def test_absence_of_a_package_is_told_from_its_failure(tmp_path, error, words):
    machine = Described(tmp_path, {"tensorrt": {"error": error}})
    assert words in gpu.tensorrt(machine, None).detail


def test_the_cache_looked_at_is_the_one_that_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(Machine()) == cache_directory()


def test_every_engine_that_can_be_named_has_a_verdict(tmp_path):
    report = examine(Described(tmp_path, {}), tmp_path / "cache")
    assert report.engines.keys() >= ENGINES.keys()
