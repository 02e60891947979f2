"""zig, a wheel's compiler: taken last, spoken to in its own words, and its samples are gcc's."""

from __future__ import annotations

import functools
import platform
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.models.specs import CORNERS, random_bias, random_spec, random_uniforms, random_weights
from tests.runtime.engines.native.program import Program
from tests.runtime.engines.native.test_program import ARM_LIBC, QEMU, arm, needs_gcc, run
from tests.runtime.engines.native.wheel import install, needs_zig, only
from wn_runtime import installation, system_packages
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.engines.native import compiler, cpu, platforms, precompiled, zig
from wn_runtime.engines.native.compiler import Compiler, find_compiler, find_cross_compiler
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import Library
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError

SPEC = CORNERS["plain"]
X86_ONLY = pytest.mark.skipif(platform.machine() != "x86_64", reason="cross-compiles from x86-64")


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but the wheel: the path of its program."""
    program = install(tmp_path / "site")
    only(monkeypatch, tmp_path / "site")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return program


@pytest.mark.parametrize(
    ("gcc", "own"),
    [
        ("x86-64", "x86_64"),
        ("x86-64-v3", "x86_64_v3"),
        ("sapphirerapids", "sapphirerapids"),
        ("skylake-avx512", "skylake_avx512"),
        ("armv8-a", "generic+v8a"),
        ("armv8-a+crc", "generic+v8a+crc"),
        ("armv8.2-a+dotprod", "generic+v8_2a+dotprod"),
        ("armv8.4-a+dotprod+bf16+i8mm", "generic+v8_4a+dotprod+bf16+i8mm"),
        ("armv9.2-a", "generic+v9_2a"),
        ("armv9-a+i8mm+bf16", "generic+v9a+i8mm+bf16"),
        ("armv8.2-a+fp16+nocrypto", "generic+v8_2a+fullfp16-aes-sha2"),
        ("armv9-a+sve2-aes+rng", "generic+v9a+sve2_aes+rand"),
        ("cortex-a78ae", "cortex_a78ae"),
        ("cortex-a55+nofp16", "cortex_a55-fullfp16"),
        ("neoverse-512tvb", "neoverse_512tvb"),
        ("armv7-a+neon-vfpv4", "generic+v7a+neon+vfp4"),
        ("rv64gc", "generic_rv64+m+a+f+d+c"),
        ("rv64imafdcv_zba_zbb", "generic_rv64+m+a+f+d+c+v+zba+zbb"),
    ],
)
def test_names_of_cpus_are_gccs(gcc: str, own: str) -> None:
    assert zig.cpu_name(gcc) == own


def test_it_is_found_without_being_imported_and_not_where_one_stands(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zig.command() == (str(wheel), "cc")
    assert "ziglang" not in sys.modules
    install(tmp_path / "model")
    monkeypatch.chdir(tmp_path / "model")
    only(monkeypatch, Path())  # as of `python -c`
    assert zig.command() == ()


def test_a_placeholder_is_no_compiler_and_is_called_one(wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(EngineUnavailable, match=r"ziglang here is a placeholder .*; with one"):
        find_compiler()


@pytest.mark.parametrize(
    ("command", "version"),
    [
        ("zig cc", ["zig", "version"]),
        ("python3 -m ziglang cc -g0", ["python3", "-m", "ziglang", "version"]),
        ("/site/ziglang/zig cc", ["/site/ziglang/zig", "version"]),
        ("gcc -m64", None),
        ("zig", None),
        ("zigcc", None),
    ],
)
def test_zig_in_cc_is_known_by_its_command(command: str, version: list[str] | None) -> None:
    words = tuple(command.split())
    assert zig.is_zig(words) == (version is not None)
    if version:
        assert list(zig.version_command(words)) == version


def test_the_order_is_cc_then_the_systems_compilers_then_the_wheel(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    monkeypatch.setenv("PATH", str(bin_))
    assert find_compiler() == Compiler((str(wheel), "cc"), "9.9.9")
    assert find_compiler().name == "zig (9.9.9)"
    for name in ("clang", "gcc", "cc", "mine"):
        (bin_ / name).write_text(f"#!/bin/sh\necho {name} 1\n")
        (bin_ / name).chmod(0o755)
        if name != "mine":
            assert find_compiler().name == f"{name} ({name} 1)"
    monkeypatch.setenv("CC", "mine")
    assert find_compiler().name == "mine (mine 1)"
    monkeypatch.setenv("CC", f"{wheel} cc -g0")
    assert find_compiler() == Compiler((str(wheel), "cc", "-g0"), "9.9.9")


@X86_ONLY
def test_another_machines_compiler_is_the_systems_and_else_the_wheels(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = platforms.find("linux", "aarch64")
    assert arm.cross is not None
    name = arm.cross[0]
    assert find_cross_compiler(arm).command == (str(wheel), "cc")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / name).write_text("#!/bin/sh\necho cross 1\n")
    (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_cross_compiler(arm).name == f"{name} (cross 1)"
    monkeypatch.setenv("CC", f"{wheel} cc")
    assert find_cross_compiler(arm).name == "zig (9.9.9)"


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.parametrize(
    ("machine", "package"),
    [
        ("aarch64", "gcc-aarch64-linux-gnu"),
        ("armv7l", "gcc-arm-linux-gnueabihf"),
        ("riscv64", "gcc-riscv64-linux-gnu"),
    ],
)
@X86_ONLY
def test_without_either_both_ways_out_are_named(
    machine: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_packages, "install", lambda what, _which: f"get {what}")
    ways = re.escape(f"get {package}, or {installation.install('cc')}")
    with pytest.raises(EngineUnavailable, match=ways):
        find_cross_compiler(platforms.find("linux", machine))


@pytest.mark.usefixtures("no_compiler")
def test_for_windows_and_macos_there_is_only_the_wheel() -> None:
    way = re.escape(f"zig is not here; {installation.install('cc')}")
    with pytest.raises(EngineUnavailable, match=f"^{way}$"):
        find_cross_compiler(platforms.find("windows", "aarch64"))


@pytest.mark.parametrize(
    ("march", "machine", "here", "asked", "feature"),
    [
        ("cortex-a78ae", "aarch64", "x86_64", "cortex_a78ae", "asimddp"),
        ("armv8.2-a+dotprod", "aarch64", "x86_64", "generic+v8_2a+dotprod", "asimddp"),
        ("x86-64-v3", "x86_64", "aarch64", "x86_64_v3", "avx2"),
        ("x86-64-v3", "x86_64", "x86_64", "x86_64_v3", "avx2"),
    ],
)
def test_a_target_is_compiled_in_zigs_words_and_the_manifest_says_by_what(
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    march: str,
    machine: str,
    here: str,
    asked: str,
    feature: str,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: here)
    built = precompiled.precompile(SPEC, "int8", march, 1, tmp_path / "out.so").built
    assert (built["compiler"], built["march"]) == ("zig (9.9.9)", march)
    assert (built["machine"], built["features"]) == (machine, [feature])
    said, kept, local = (tmp_path / "out.so").read_text().strip().split("|")
    words = said.split()
    assert f"-target {machine}-linux-gnu.2.28 -mcpu={asked}" in said
    assert {"-O3", "-ffp-contract=fast", "-fno-sanitize=undefined", "-shared"} <= set(words)
    assert Path(kept) == cache_directory() / "zig"
    assert kept not in local
    assert not Path(local).exists()


def test_what_it_keeps_only_this_user_can_write(wheel: Path) -> None:
    kept = Path(zig.environment()["ZIG_GLOBAL_CACHE_DIR"])
    assert kept.stat().st_mode & 0o777 == 0o700
    (kept / "theirs").write_text("")
    kept.chmod(0o777)
    assert zig.environment()["ZIG_LOCAL_CACHE_DIR"] == str(kept)
    assert kept.stat().st_mode & 0o777 == 0o700
    assert list(kept.iterdir()) == []
    kept.rmdir()
    kept.symlink_to("/tmp")
    zig.environment()
    assert not kept.is_symlink()


# From here on the real one.


@pytest.fixture(scope="module")
def real() -> Compiler:
    """The compiler of the wheel that is installed."""
    found = compiler._first(zig.command())
    assert found is not None
    return found


@needs_zig
@needs_gcc
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_its_samples_are_gccs_to_the_bit(tmp_path: Path, real: Compiler, precision: str) -> None:
    spec = random_spec(3)
    weights, shapes = random_weights(spec), Shapes(spec, precision, 1)
    bias, uniforms = random_bias(spec, 1, 1), random_uniforms(500, 1)
    gcc = compiler._first(("gcc",))
    assert gcc is not None
    made = []
    for each in (gcc, real):
        path = tmp_path / f"{each.version}.so"
        compiler.compile_library(each, cpu.native_flags(), shapes, path)
        engine = NativeEngine(spec, weights, precision, library=functools.partial(Library, path))
        made.append(engine.generate(bias, uniforms))
    np.testing.assert_array_equal(made[0], made[1])
    assert len(np.unique(made[0])) > 4


@needs_zig
@arm
@needs_gcc
@pytest.mark.parametrize("march", ["cortex-a78ae", "armv9-a+i8mm+bf16"])
def test_its_arm_code_gives_the_samples_of_this_cpu(
    tmp_path: Path, real: Compiler, march: str
) -> None:
    spec, batch = random_spec(3), 1
    weights, shapes = random_weights(spec), Shapes(spec, "int8", batch)
    (tmp_path / "arm-zig").write_text(f'#!/bin/sh\nexec {shlex.join(real.command)} "$@"\n')
    (tmp_path / "arm-zig").chmod(0o755)
    command = (
        str(tmp_path / "arm-zig"),
        *zig.FLAGS,
        *real.target(march, platforms.find("linux", "aarch64")),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zig.environment(tmp_path / "kept").items():
            patch.setenv(name, value)
        emulator = (QEMU, "-cpu", "max", "-L", ARM_LIBC)
        there = Program(tmp_path / "arm", shapes, weights, command, emulator)
    here = Program(tmp_path / "here", shapes, weights, ("gcc", "-march=native"))
    np.testing.assert_array_equal(run(there, spec, batch).samples, run(here, spec, batch).samples)


@needs_zig
@X86_ONLY
@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm, of binutils")
def test_its_arm_library_is_for_old_systems_and_traps_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", shlex.join(zig.command()))
    path = tmp_path / "arm.so"
    built = precompiled.precompile(SPEC, "fp32", "cortex-a72", 1, path).built
    assert built["compiler"] == f"zig ({find_compiler().version})"
    assert (built["machine"], built["features"]) == (
        "aarch64",
        ["crc32"],
    )  # a Raspberry Pi 4 runs it
    assert path.read_bytes()[18:20] == b"\xb7\x00"  # ELF machine AArch64
    done = subprocess.run(["nm", "-D", path], capture_output=True, text=True, check=True)
    listed = done.stdout
    assert "wn_generate" in listed
    assert "ubsan" not in listed


@needs_zig
def test_its_own_words_are_quoted_in_one_line(tmp_path: Path, real: Compiler) -> None:
    shapes = Shapes(SPEC, "fp32", 1)
    target = real.target("cortex-a999", platforms.find("linux", "aarch64"))
    with pytest.raises(WavestepError, match=r"zig .* unknown CPU: 'cortex_a999'") as error:
        compiler.compile_library(real, target, shapes, tmp_path / "out.so")
    assert "\n" not in str(error.value)
