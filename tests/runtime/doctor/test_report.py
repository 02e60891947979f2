"""wn-doctor adds its findings up to which engines run, by what each kind of engine needs."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import wn_runtime
from tests.runtime.doctor.machines import COMPLETE, H200, ORT, Described, script
from wn_runtime.commands.doctor import cache_folder, main
from wn_runtime.doctor.machine import Machine
from wn_runtime.doctor.report import advice, examine, summary
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.engines.registry import ENGINES

RUNTIME = Path(wn_runtime.__path__[0]).parent


@pytest.fixture
def pc(tmp_path: Path) -> Machine:
    """A machine that has everything."""
    here = next((path for name in ("gcc", "cc", "clang") if (path := Machine().which(name))), None)
    if here is None:
        pytest.skip("no C compiler on this machine")
    script(tmp_path / "bin", "cc", f'exec {here} "$@"')
    return Described(tmp_path, COMPLETE, f"{tmp_path / 'bin'}:/usr/bin:/bin")


def test_a_bare_machine_gets_a_full_report_and_exit_code_1(tmp_path: Path) -> None:
    """A fresh interpreter with click alone, and nothing at all on PATH."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "click").symlink_to(Path(click.__path__[0]))
    venv = [sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(tmp_path / "bare")]
    subprocess.run(venv, check=True)
    done = subprocess.run(
        [tmp_path / "bare/bin/python", "-m", "wn_runtime.commands.doctor", "--json"],
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


def test_nothing_heavy_is_imported_in_the_process_itself() -> None:
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


def test_every_engine_of_a_complete_pc_runs(pc: Machine, tmp_path: Path) -> None:
    report = examine(pc, tmp_path / "cache")
    assert all(lack is None for lack in report.engines.values())
    assert "missing" not in {finding.state for finding in report.findings}
    assert summary(report) == f"engines  run here: {', '.join(ENGINES)}"
    assert advice(report) == []
    shown = {finding.subject: finding.detail for finding in report.findings}
    assert shown["NVIDIA driver"] == "CUDA 13.0: NVIDIA H200, sm 9.0, 150.1 GB"
    assert shown["ONNX Runtime"] == "1.31.1: CUDA, CPU"


@pytest.mark.parametrize("name", ENGINES)
def test_what_an_engine_needs_is_looked_at(pc: Machine, tmp_path: Path, name: str) -> None:
    """A need is the subject of a finding, or a provider of ONNX Runtime; no other can be met."""
    report = examine(pc, tmp_path / "cache")
    subjects = {finding.subject for finding in report.findings}
    providers = {name.replace("ExecutionProvider", " provider") for name in ORT["providers"]}
    assert ENGINES[name].needs
    assert set(ENGINES[name].needs) <= subjects | providers


def test_the_engines_that_lack_something_say_the_first_of_it(tmp_path: Path) -> None:
    answers = {"onnxruntime": {"providers": ["CPUExecutionProvider"]}, "libcuda.so.1": H200}
    report = examine(Described(tmp_path, answers), tmp_path / "cache")
    assert report.runs
    assert report.engines == {
        "native": "C compiler",
        "onnx": None,
        "onnx-cuda": "CUDA provider",
        "onnx-cuda-loop": "NVRTC",
        "cuda": "NVRTC",
        "tensorrt": "NVRTC",
        "generator": None,
    }
    assert "native (no C compiler)" in summary(report)


def test_verdict_and_advice_come_from_the_kinds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a new kind of engine needs nothing here."""
    harp = dataclasses.replace(NATIVE, name="harp", needs=("a harp",), advice="learn to play")
    lyre = dataclasses.replace(harp, name="lyre", needs=("Python",), advice="tune it")
    for kind in (harp, lyre):
        monkeypatch.setitem(ENGINES, kind.name, kind)
    report = examine(Described(tmp_path, {}), tmp_path / "cache")
    assert (report.engines["harp"], report.engines["lyre"]) == ("a harp", None)
    assert advice(report) == [NATIVE.advice, "learn to play"]


def test_where_nothing_runs_the_advice_is_where_to_begin(tmp_path: Path) -> None:
    report = examine(Described(tmp_path, {}), tmp_path / "cache")
    assert report.engines.keys() == ENGINES.keys()
    assert not report.runs
    assert "mend the C compiler or ONNX Runtime first" in advice(report)[-1]


@pytest.mark.parametrize(
    ("answers", "following"),
    [
        ({"onnxruntime": {"providers": ["CPUExecutionProvider"]}}, "wn-run DIR"),
        ({}, "sudo apt install gcc, or pip install 'wavestep[cc]'"),
        ({"numpy": {"error": "it is broken"}}, "pip install --force-reinstall numpy"),
    ],
)
def test_the_last_line_is_what_to_do_next(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: dict[str, Any],
    following: str,
) -> None:
    monkeypatch.setattr("wn_runtime.commands.doctor.Machine", lambda: Described(tmp_path, answers))
    result = CliRunner().invoke(main, [])
    assert result.stdout.splitlines()[-1] == f"next     {following}"
    assert "next  " not in CliRunner().invoke(main, ["--json"]).output


def test_the_cache_looked_at_is_the_one_that_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(Machine()) == cache_directory()


def test_a_machine_with_a_driver_and_no_compiler_for_it_is_told_of_cubins(tmp_path: Path) -> None:
    answers = {"numpy": {"version": "2.0"}, "libcuda.so.1": H200}
    report = examine(Described(tmp_path, answers), tmp_path / "cache")
    assert report.engines["cuda"] == "NVRTC"
    assert any("runs only from a cubin" in line for line in advice(report))
    bare = examine(Described(tmp_path, {"numpy": {"version": "2.0"}}), tmp_path / "cache")
    assert bare.engines["cuda"] == "NVIDIA driver"
    assert not any("cubin" in line for line in advice(bare))
