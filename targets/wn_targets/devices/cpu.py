"""Processors without an NVIDIA GPU: the levels of x86-64, boards and servers with Arm cores."""

from __future__ import annotations

from wn_targets.devices import cores
from wn_targets.devices.target import Cpu, Target


def _cpu(name: str, title: str, cpu: Cpu, note: str = "") -> Target:
    return Target(name, title, "cpu", None, None, cpu=cpu, note=note)


_LEVEL = "a level, not one chip: clock and caches are assumed ones"

CPUS = (
    _cpu("x86-64-v2", "x86-64 with SSE4.2", cores.SSE, _LEVEL),
    _cpu("x86-64-v3", "x86-64 with AVX2 and FMA (2013 on)", cores.AVX2, _LEVEL),
    _cpu("x86-64-v4", "x86-64 with AVX-512 and VNNI", cores.AVX512, _LEVEL),
    _cpu("xeon-2.6", "Xeon 2.6 GHz (3.75 turbo), AVX-512: the reference machine", cores.XEON),
    _cpu("cortex-a57", "Cortex-A57 (Jetson Nano, TX2)", cores.A57),
    _cpu("cortex-a72", "Cortex-A72 (Raspberry Pi 4)", cores.A72),
    _cpu("cortex-a76", "Cortex-A76 (Raspberry Pi 5)", cores.A76),
    _cpu("cortex-a78ae", "Cortex-A78AE (Orin)", cores.A78AE),
    _cpu("neoverse-n1", "Neoverse-N1 (Graviton2, Altra)", cores.NEOVERSE_N1),
    _cpu("neoverse-v1", "Neoverse-V1 (Graviton3)", cores.NEOVERSE_V1),
    _cpu("neoverse-v3ae", "Neoverse-V3AE (Thor)", cores.NEOVERSE_V3AE),
)
