"""What the CPU engines need: a compiler that works, a cache of one's own, ONNX Runtime."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.runtime.doctor.machines import ORT, Described, script
from wn_runtime import installation
from wn_runtime.doctor import cpu
from wn_runtime.doctor.machine import Machine

VERSION = 'case "$*" in *version) echo 1.2.3; exit;; esac'
MAKES = 'while [ $# -gt 1 ]; do [ "$1" = -o ] && : > "$2"; shift; done'


def test_two_onnx_runtimes_in_one_environment_are_a_warning(tmp_path: Path) -> None:
    answers = {
        "onnxruntime": ORT,
        "version of onnxruntime": "1.30",
        "version of onnxruntime-gpu": "1.31",
    }
    found, providers = cpu.onnx_runtime(Described(tmp_path, answers), jetson=False)
    assert found.state == "warn"
    assert "uninstall" in found.fix
    assert providers == ORT["providers"]


def test_an_onnx_runtime_that_crashes_is_missing_with_its_reason(tmp_path: Path) -> None:
    answers = {
        "onnxruntime": {"error": "it crashed with signal 11"},
        "version of onnxruntime": "1.30",
    }
    found, providers = cpu.onnx_runtime(Described(tmp_path, answers), jetson=False)
    assert found.state == "missing"
    assert "signal 11" in found.detail
    assert providers == []


def test_a_compiler_that_cannot_link_is_not_taken_for_one(tmp_path: Path) -> None:
    script(tmp_path / "bin", "cc", f"{VERSION}; echo 'cc: fatal error: no crti.o' >&2; exit 1")
    script(tmp_path / "bin", "apt-get", "")
    found = cpu.compiler(Described(tmp_path, {}, str(tmp_path / "bin")))
    assert found.state == "missing"
    assert "no crti.o" in found.detail
    assert "libc6-dev" in found.fix


def test_a_compiler_that_claims_success_but_writes_nothing_is_not_taken_for_one(
    tmp_path: Path,
) -> None:
    script(tmp_path / "bin", "cc", f"{VERSION}; exit 0")
    assert cpu.compiler(Described(tmp_path, {}, str(tmp_path / "bin"))).state == "missing"


def test_the_compiler_named_is_the_one_that_the_engine_takes(tmp_path: Path) -> None:
    """A program that does not tell its version is passed over, and the wheel's comes last."""
    script(tmp_path / "bin", "cc", "exit 1")
    script(tmp_path / "wheel", "zig", f"{VERSION}; {MAKES}")
    program = str(tmp_path / "wheel" / "zig")
    machine = Described(tmp_path, {"zig": (program, "cc")}, str(tmp_path / "bin"))
    found = cpu.compiler(machine)
    assert (found.state, found.detail) == ("ok", f"zig 1.2.3 ({program})")
    script(tmp_path / "bin", "gcc", f"{VERSION}; {MAKES}")
    assert cpu.compiler(machine).detail == f"1.2.3 ({tmp_path / 'bin' / 'gcc'})"


def test_without_a_compiler_both_ways_to_one_are_named(tmp_path: Path) -> None:
    wheel = installation.install("cc")
    found = cpu.compiler(Described(tmp_path, {}))
    assert "none found: the native engine" in found.detail
    assert found.fix == f"install one: {wheel}"
    script(tmp_path / "bin", "apt-get", "")
    found = cpu.compiler(Described(tmp_path, {}, str(tmp_path / "bin")))
    assert re.fullmatch(
        rf"install one: (sudo )?apt install gcc .*, or {re.escape(wheel)}", found.fix
    )
    placeholder = cpu.compiler(Described(tmp_path, {"version of ziglang": "0.0.0"}))
    assert "is a placeholder without one" in placeholder.detail


def test_cc_of_the_environment_is_the_only_one_tried(tmp_path: Path) -> None:
    machine = Machine(tmp_path, {"PATH": "/usr/bin:/bin", "CC": "no-such-cc -O2"})
    found = cpu.compiler(machine)
    assert found.state == "missing"
    assert "no-such-cc" in found.detail
    assert "unset" in found.fix


@pytest.mark.parametrize(("mode", "expected"), [(0o700, "ok"), (0o755, "warn"), (0o777, "warn")])
def test_the_cache_must_be_ours_alone(tmp_path: Path, mode: int, expected: str) -> None:
    directory = tmp_path / "cache"
    directory.mkdir()
    directory.chmod(mode)
    found = cpu.cache(directory)
    assert found.state == expected
    assert ("chmod 700" in found.fix) == (expected == "warn")


def test_a_cache_that_is_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    path.write_text("")
    assert cpu.cache(path).state == "missing"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert cpu.cache(tmp_path / "a" / "b").state == "missing"


def test_a_machine_without_proc_still_has_a_cpu_line(tmp_path: Path) -> None:
    found = cpu.processor(Described(tmp_path, {}))
    assert found.state == "warn"
    assert "cores" in found.detail


def test_arm_features_are_read_from_cpuinfo(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nFeatures\t: fp asimd asimddp\n")
    assert "asimd asimddp" in cpu.processor(Described(tmp_path, {})).detail
