"""wavenet.c on other systems and machines: compiled for each, and run where an emulator is."""

from __future__ import annotations

import shlex
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.models.specs import CORNERS, random_spec, random_weights
from tests.runtime.engines.native.program import Program
from tests.runtime.engines.native.test_program import needs_gcc, run
from tests.runtime.engines.native.wheel import needs_zig
from wn_runtime.engines.native import platforms, precompiled, zig
from wn_runtime.engines.native.platforms import PLATFORMS, Platform
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import WavestepError
from wn_targets.devices.catalogue import TARGETS

ELF = {"x86_64": 62, "armv7l": 40, "aarch64": 183, "riscv64": 243}
PE = {"x86_64": 0x8664, "aarch64": 0xAA64}
MACH = {"x86_64": 0x01000007, "aarch64": 0x0100000C}
LC_CODE_SIGNATURE = 0x1D


@pytest.fixture(scope="module")
def with_zig() -> Iterator[None]:
    """$CC is the compiler of the wheel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CC", shlex.join(zig.command()))
        yield


@pytest.mark.parametrize(
    ("march", "machine"),
    [
        ("x86-64-v3", "x86_64"),
        ("sapphirerapids", "x86_64"),
        ("armv8.2-a+dotprod", "aarch64"),
        ("cortex-a76", "aarch64"),
        ("cortex-a55", "aarch64"),
        ("neoverse-n1", "aarch64"),
        ("armv7-a+neon-vfpv4", "armv7l"),
        ("cortex-a7", "armv7l"),
        ("cortex-a15", "armv7l"),
        ("cortex-a5", "armv7l"),
        ("rv64gc", "riscv64"),
    ],
)
def test_a_machine_is_known_by_the_name_of_its_cpu(march: str, machine: str) -> None:
    assert platforms.machine_of(march) == machine


def test_a_platform_that_there_is_none_of_is_a_line_with_those_there_are() -> None:
    with pytest.raises(WavestepError, match=r"'windows riscv64' is unknown; .*windows aarch64"):
        platforms.find("windows", "riscv64")


def kind_of(code: bytes) -> tuple[str, int]:
    """What loads a library, and the machine's number in its header."""
    if code[:4] == b"\x7fELF":
        return "linux", struct.unpack_from("<H", code, 18)[0]
    if code[:2] == b"MZ":
        at = struct.unpack_from("<I", code, 0x3C)[0]
        assert code[at : at + 4] == b"PE\0\0"
        return "windows", struct.unpack_from("<H", code, at + 4)[0]
    magic, machine = struct.unpack_from("<II", code)
    assert magic == 0xFEEDFACF
    return "macos", machine


def commands_of(code: bytes) -> set[int]:
    """The kinds of load commands of a library for macOS."""
    count, at, found = struct.unpack_from("<I", code, 16)[0], 32, set()
    for _ in range(count):
        kind, size = struct.unpack_from("<II", code, at)
        found.add(kind)
        at += size
    return found


NAMES = ("armv7", "riscv64", "windows-x64", "windows-arm64", "macos-x64", "macos-arm64")


@needs_zig
@pytest.mark.usefixtures("with_zig")
@pytest.mark.parametrize("name", NAMES)
def test_the_wheel_compiles_for_each(tmp_path: Path, name: str) -> None:
    cpu, system = TARGETS[name].cpu, TARGETS[name].system
    assert cpu is not None
    path = tmp_path / "made"
    built = precompiled.precompile(CORNERS["plain"], "int8", cpu.march, 1, path, system).built
    machine = platforms.machine_of(cpu.march)
    numbers = {"linux": ELF, "windows": PE, "macos": MACH}[system]
    code = path.read_bytes()
    assert kind_of(code) == (system, numbers[machine])
    assert (built["system"], built["machine"]) == (system, machine)
    assert built["features"]
    assert {b"wn_generate", b"wn_help", b"wn_prepare"} <= set(
        code.replace(b"_wn", b"wn").split(b"\0")
    )
    assert list(tmp_path.iterdir()) == [path]
    assert b"ubsan" not in code
    if name == "macos-arm64":  # which loads nothing that is not signed
        assert LC_CODE_SIGNATURE in commands_of(code)
    if system == "windows":  # nothing that a device must have installed first
        assert b"api-ms-win-crt" not in code
        assert b"WaitOnAddress" in code


def test_every_platform_is_that_of_a_target() -> None:
    asked = {
        (target.system, platforms.machine_of(target.cpu.march))
        for target in TARGETS.values()
        if target.cpu is not None and target.cpu.march != "native"
    }
    assert asked == {(each.system, each.machine) for each in PLATFORMS}


STATIC = {
    "armv7l": ("arm-linux-musleabihf", "qemu-arm"),
    "riscv64": ("riscv64-linux-musl", "qemu-riscv64"),
}


@pytest.mark.slow
@needs_zig
@needs_gcc
@pytest.mark.parametrize(
    ("name", "precision"), [(n, p) for n in ("armv7", "riscv64") for p in ("fp32", "int8")]
)
def test_an_emulated_one_gives_the_samples_of_this_cpu(
    tmp_path: Path, name: str, precision: str
) -> None:
    cpu = TARGETS[name].cpu
    assert cpu is not None
    triple, emulator = STATIC[platforms.machine_of(cpu.march)]
    if shutil.which(emulator) is None:
        pytest.skip(f"needs {emulator}, of qemu-user")
    spec, batch = random_spec(3), 1
    weights, shapes = random_weights(spec), Shapes(spec, precision, batch)
    target = zig.target_flags(Platform("linux", "", triple), cpu.march)
    script = tmp_path / "zig"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(zig.command())} "$@"\n')
    script.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in zig.environment().items():
            patch.setenv(variable, value)
        command = (str(script), *zig.FLAGS, *target, "-static")
        there = Program(tmp_path / "there", shapes, weights, command, (emulator,))
    here = Program(tmp_path / "here", shapes, weights, ("gcc", "-march=native"))
    ours, theirs = run(here, spec, batch), run(there, spec, batch)
    np.testing.assert_array_equal(theirs.samples, ours.samples)
    np.testing.assert_allclose(theirs.params, ours.params, atol=2e-5)
    assert len(np.unique(ours.samples)) > 4
