"""Processor cores, each at one clock; a device takes one over with its own clock and number.

Cache and memory rates without a source are what the core's documents lead one to expect.
"""

from __future__ import annotations

from wn_targets.devices import sources
from wn_targets.devices.target import Cpu

A57 = Cpu(
    core="Cortex-A57",
    isa="neon",
    march="armv8-a",
    cores=4,
    clock_mhz=1479,
    l2_kib=2048,
    l3_kib=0,
    l2_bytes_per_cycle=8,
    l3_gbps=6,
    core_dram_gbps=6,
    ipc=1.5,
)
CARMEL = Cpu(
    core="Carmel",
    isa="neon",
    march="armv8.2-a",
    cores=6,
    clock_mhz=1900,
    l2_kib=2048,
    l3_kib=4096,
    l2_bytes_per_cycle=16,
    l3_gbps=20,
    core_dram_gbps=15,
    ipc=2.5,
)
A72 = Cpu(
    core="Cortex-A72",
    isa="neon",
    march="armv8-a+crc",
    cores=4,
    clock_mhz=1800,
    l2_kib=1024,
    l3_kib=0,
    l2_bytes_per_cycle=8,
    l3_gbps=4,
    core_dram_gbps=4,
    ipc=1.8,
)
A76 = Cpu(
    core="Cortex-A76",
    isa="neon-dot",
    march="armv8.2-a+dotprod",
    cores=4,
    clock_mhz=2400,
    l2_kib=512,
    l3_kib=2048,
    l2_bytes_per_cycle=24,
    l3_gbps=20,
    core_dram_gbps=12,
    ipc=3.0,
)
A78AE = Cpu(
    core="Cortex-A78AE",
    isa="neon-dot",
    march="armv8.2-a+dotprod",
    cores=6,
    clock_mhz=1728,
    l2_kib=256,
    l3_kib=2048,
    l2_bytes_per_cycle=24,
    l3_gbps=20,
    core_dram_gbps=15,
    ipc=3.0,
    sources={
        "core": sources.ORIN_NANO_SHEET,
        "l2_kib": sources.ORIN_NANO_SHEET,
        "l3_kib": sources.ORIN_NANO_SHEET,
        "cores": sources.ORIN_NANO_SHEET,
    },
)
NEOVERSE_N1 = Cpu(
    core="Neoverse-N1",
    isa="neon-dot",
    march="armv8.2-a+dotprod",
    cores=64,
    clock_mhz=2500,
    l2_kib=1024,
    l3_kib=32768,
    l2_bytes_per_cycle=24,
    l3_gbps=30,
    core_dram_gbps=18,
    ipc=3.0,
)
NEOVERSE_V1 = Cpu(
    core="Neoverse-V1",
    isa="neon-i8mm",
    march="armv8.4-a+dotprod+bf16+i8mm",
    cores=64,
    clock_mhz=2600,
    l2_kib=1024,
    l3_kib=32768,
    l2_bytes_per_cycle=32,
    l3_gbps=35,
    core_dram_gbps=25,
    ipc=3.75,
    sources={"isa": sources.GCC_CORES, "march": sources.GCC_CORES},
)
NEOVERSE_V3AE = Cpu(
    core="Neoverse-V3AE",
    isa="neon-i8mm",
    march="armv9-a+i8mm+bf16",  # it is armv9.2-a, which has both, but GCC 12 knows none
    cores=14,
    clock_mhz=2600,
    l2_kib=1024,
    l3_kib=16384,
    l2_bytes_per_cycle=32,
    l3_gbps=35,
    core_dram_gbps=25,
    ipc=4.5,
    sources={
        "isa": sources.GCC_ARCHITECTURES,
        "core": sources.THOR_OVERVIEW,
        "cores": sources.THOR_OVERVIEW,
        "clock_mhz": sources.THOR_OVERVIEW,
        "l2_kib": sources.THOR_OVERVIEW,
        "l3_kib": sources.THOR_OVERVIEW,
    },
)
APPLE_M1 = Cpu(
    core="Apple M1, performance core",
    isa="neon-dot",
    march="armv8.4-a+dotprod",
    cores=4,
    clock_mhz=3200,
    l2_kib=12288,
    l3_kib=0,
    l2_bytes_per_cycle=32,
    l3_gbps=50,
    core_dram_gbps=50,
    ipc=5.0,
)
ARMV7 = Cpu(
    core="any Armv7-A with NEON and VFPv4",
    isa="armv7",
    march="armv7-a+neon-vfpv4",
    cores=4,
    clock_mhz=900,
    l2_kib=512,
    l3_kib=0,
    l2_bytes_per_cycle=4,
    l3_gbps=1,
    core_dram_gbps=1,
    ipc=0.7,
)
RV64 = Cpu(
    core="any RV64GC",
    isa="rv64",
    march="rv64gc",
    cores=4,
    clock_mhz=1500,
    l2_kib=2048,
    l3_kib=0,
    l2_bytes_per_cycle=8,
    l3_gbps=3,
    core_dram_gbps=3,
    ipc=1.2,
)
SSE = Cpu(
    core="any x86-64-v2",
    isa="sse",
    march="x86-64-v2",
    cores=4,
    clock_mhz=2500,
    l2_kib=256,
    l3_kib=8192,
    l2_bytes_per_cycle=16,
    l3_gbps=18,
    core_dram_gbps=10,
)
AVX2 = Cpu(
    core="any x86-64-v3",
    isa="avx2",
    march="x86-64-v3",
    cores=8,
    clock_mhz=3500,
    l2_kib=512,
    l3_kib=16384,
    l2_bytes_per_cycle=32,
    l3_gbps=35,
    core_dram_gbps=18,
)
AVX512 = Cpu(
    core="any x86-64-v4 with VNNI",
    isa="avx512",
    march="x86-64-v4",
    cores=8,
    clock_mhz=3500,
    l2_kib=1024,
    l3_kib=32768,
    l2_bytes_per_cycle=48,
    l3_gbps=30,
    core_dram_gbps=20,
)
_MEASURED = dict.fromkeys(
    ("core", "clock_mhz", "l2_kib", "l3_kib", "l2_bytes_per_cycle", "l3_gbps"), sources.MEASURED
)
ZEN3 = Cpu(
    core="Zen 3",
    isa="avx2",
    march="znver3",
    cores=2,
    clock_mhz=3240,
    l2_kib=512,
    l3_kib=32768,
    l2_bytes_per_cycle=32,
    l3_gbps=80,
    core_dram_gbps=15,
    sources=_MEASURED,
)
XEON = Cpu(
    core="Xeon with AVX-512, VNNI and BF16",
    isa="avx512",
    march="native",
    cores=2,
    clock_mhz=3750,
    l2_kib=2048,
    l3_kib=491520,
    l2_bytes_per_cycle=44,
    l3_gbps=30,
    core_dram_gbps=15,
    sources=_MEASURED,
)
