"""Processors without an NVIDIA GPU: levels of x86-64, Arm and RISC-V, boards, servers, desktops."""

from __future__ import annotations

from wn_targets.devices import cores
from wn_targets.devices.target import Cpu, Target


def _cpu(name: str, title: str, *, cpu: Cpu, note: str = "", system: str = "linux") -> Target:
    """Any machine with these cores; its memory is its owner's choice."""
    return Target(
        name=name,
        title=title,
        family="cpu",
        memory_gb=None,
        dram_gbps=None,
        cpu=cpu,
        note=note,
        system=system,
    )


def _level(name: str, title: str, *, cpu: Cpu, system: str = "linux") -> Target:
    note = "a level, not one chip: clock and caches are assumed ones"
    return _cpu(name, title, cpu=cpu, note=note, system=system)


CPUS = (
    _level("x86-64-v2", "x86-64 with SSE4.2", cpu=cores.SSE),
    _level("x86-64-v3", "x86-64 with AVX2 and FMA (2013 on)", cpu=cores.AVX2),
    _level("x86-64-v4", "x86-64 with AVX-512 and VNNI", cpu=cores.AVX512),
    _cpu(
        "xeon-2.6",
        "Xeon 2.6 GHz, AVX-512",
        cpu=cores.XEON,
        note="the reference machine, at 3.75 GHz of turbo: the formula was fitted to it",
    ),
    _cpu(
        "epyc-zen3",
        "EPYC 3.2 GHz, AVX2 (Zen 3)",
        cpu=cores.ZEN3,
        note="the second machine that was measured",
    ),
    _cpu("cortex-a57", "Cortex-A57 (Jetson Nano, TX2)", cpu=cores.A57),
    _cpu("cortex-a72", "Cortex-A72 (Raspberry Pi 4)", cpu=cores.A72),
    _cpu("cortex-a76", "Cortex-A76 (Raspberry Pi 5)", cpu=cores.A76),
    _cpu("cortex-a78ae", "Cortex-A78AE (Orin)", cpu=cores.A78AE),
    _cpu("neoverse-n1", "Neoverse-N1 (Graviton2, Altra)", cpu=cores.NEOVERSE_N1),
    _cpu("neoverse-v1", "Neoverse-V1 (Graviton3)", cpu=cores.NEOVERSE_V1),
    _cpu("neoverse-v3ae", "Neoverse-V3AE (Thor)", cpu=cores.NEOVERSE_V3AE),
    _level("armv7", "32-bit Arm with NEON and VFPv4 (2012 on)", cpu=cores.ARMV7),
    _level("riscv64", "RISC-V, RV64GC, without vectors", cpu=cores.RV64),
    _level("windows-x64", "Windows, x86-64 with AVX2 and FMA", cpu=cores.AVX2, system="windows"),
    _level("windows-arm64", "Windows, Armv8.2 with dot products", cpu=cores.A76, system="windows"),
    _level("macos-x64", "macOS, x86-64 with AVX2 and FMA", cpu=cores.AVX2, system="macos"),
    _cpu("macos-arm64", "macOS, Apple M1 and newer", cpu=cores.APPLE_M1, system="macos"),
)
