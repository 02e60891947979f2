"""A CPU's features have Linux's names, whichever system tells of them."""

from __future__ import annotations

import platform
import struct
import sys
from pathlib import Path

import pytest

from wn_runtime.engines.native import precompiled
from wn_runtime.model.manifest import Artifact
from wn_runtime.system import cpu, here

# As `sysctl machdep.cpu hw.optional` prints it, in part.
APPLE = """\
machdep.cpu.brand_string: Apple M1
machdep.cpu.core_count: 8
hw.optional.arm.FEAT_CRC32: 1
hw.optional.arm.FEAT_LSE: 1
hw.optional.arm.FEAT_RDM: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_FCMA: 1
hw.optional.arm.FEAT_JSCVT: 1
hw.optional.arm.FEAT_LRCPC: 1
hw.optional.arm.FEAT_BF16: 0
hw.optional.neon: 1
"""
INTEL_MAC = """\
machdep.cpu.brand_string: Intel(R) Core(TM) i5-8259U CPU @ 2.30GHz
machdep.cpu.features: FPU SSE SSE2 SSE3 SSSE3 FMA SSE4.1 SSE4.2 MOVBE POPCNT AVX1.0 F16C
machdep.cpu.leaf7_features: RDWRFSGS BMI1 AVX2 SMEP BMI2 ERMS ADX
machdep.cpu.extfeatures: SYSCALL XD 1GBPAGE EM64T LAHF LZCNT PREFETCHW RDTSCP
hw.optional.avx2_0: 1
"""
V3 = {"avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe", "popcnt"}


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cpu.features.cache_clear()
    cpu._sysctl.cache_clear()


def mac(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, machine: str) -> None:
    program = tmp_path / "sysctl"
    program.write_text(f"#!/bin/sh\ncat <<'E'\n{said}E\necho 'unknown oid' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(cpu, "_SYSCTL", (str(program),))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: machine)


def library(system: str, machine: str, *features: str) -> Artifact:
    built = {"system": system, "machine": machine, "features": list(features), "march": "its"}
    return Artifact("its.lib", "native", "fp32", 1, built=built)


def test_apples_cpus_run_what_is_compiled_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mac(monkeypatch, tmp_path, APPLE, "arm64")
    assert (here.system(), here.machine(), here.library_suffix()) == ("macos", "aarch64", ".dylib")
    assert cpu.name() == "Apple M1"
    # What zig's macros ask for with armv8.4-a+dotprod.
    asked = ("asimddp", "asimdrdm", "atomics", "crc32", "fcma", "jscvt", "lrcpc")
    assert precompiled.unsuitable(library("macos", "aarch64", *asked)) is None
    assert "has no bf16" in (precompiled.unsuitable(library("macos", "aarch64", "bf16")) or "")
    assert "is for linux" in (precompiled.unsuitable(library("linux", "aarch64", *asked)) or "")


def test_intels_macs_tell_of_avx2_and_what_comes_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mac(monkeypatch, tmp_path, INTEL_MAC, "x86_64")
    assert cpu.features() >= V3 | {"pni", "ssse3", "sse4_1", "sse4_2", "avx"}
    assert "avx512f" not in cpu.features()


def test_a_mac_that_does_not_answer_has_no_features(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mac(monkeypatch, tmp_path, "", "arm64")
    monkeypatch.setattr(cpu, "_SYSCTL", (str(tmp_path / "none"),))
    assert (cpu.features(), cpu.name()) == (frozenset(), "")


def test_windows_tells_of_avx2_and_intels_and_amds_have_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    told = {13, 36, 37, 38, 39, 40}
    for maker in ("GenuineIntel", "AuthenticAMD"):
        found = cpu._windows(told.__contains__, maker)
        assert found >= V3 | {"pni", "ssse3", "sse4_1", "sse4_2", "avx"}
    assert cpu._windows(told.__contains__, "CentaurHauls") == frozenset()
    assert not cpu._windows((told - {40}).__contains__, "GenuineIntel") & {"avx2", "fma"}


def test_windows_on_arm_tells_of_dot_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "ARM64")
    found = cpu._windows({31, 34, 43}.__contains__, "Qualcomm")
    assert found == {"crc32", "atomics", "asimdrdm", "asimddp"}


def test_risc_v_lists_its_extensions() -> None:
    fields = cpu.cpuinfo("hart\t: 1\nisa\t\t: rv64imafdcv_zicntr_zba_zbb\nuarch : sifive,u74-mc\n")
    assert cpu.of_cpuinfo(fields, "riscv64") == {*"imafdcv", "zicntr", "zba", "zbb"}
    assert cpu.name_of(fields) == "sifive,u74-mc"
    assert cpu.of_cpuinfo({"isa": "rv64gc"}, "riscv64") == set("imafdc")


def test_a_32_bit_system_on_a_64_bit_kernel_has_what_32_bit_code_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert here.machine() == "aarch64"
    monkeypatch.setattr(struct, "calcsize", lambda _format: 4)
    assert here.machine() == "armv7l"
    found = cpu.of_cpuinfo({"Features": "fp asimd evtstrm crc32 cpuid"}, here.machine())
    assert {"neon", "vfpv4", "idiva"} <= found


@pytest.mark.parametrize(
    ("told", "machine"),
    [("AMD64", "x86_64"), ("ARM64", "aarch64"), ("arm64", "aarch64"), ("riscv64", "riscv64")],
)
def test_machines_have_one_name(monkeypatch: pytest.MonkeyPatch, told: str, machine: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: told)
    assert here.machine() == machine


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/cpuinfo")
def test_this_machines_features_are_the_kernels() -> None:
    text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    assert all(name in text for name in cpu.features())
    assert here.system() == "linux"
