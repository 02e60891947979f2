"""Jetson modules, at the clocks of their fastest power mode (MAXN, Super)."""

from __future__ import annotations

import dataclasses

from wn_targets.devices import cores, sources
from wn_targets.devices.target import Cpu, Gpu, Sources, Target

_FP16 = ("fp32", "fp16")
_INT8 = ("fp32", "fp16", "int8")
_FP4 = ("fp32", "fp16", "int8", "fp8", "fp4")
_ORIN_JETPACKS = ("5.1", "6.0", "6.2", "7.2")
_ORIN_SOURCES = {
    "compute_capability": sources.JETSON_SKILL,
    "precisions": sources.EDGE_LLM_MATRIX,
}
_OLD = "JetPack's TensorRT is older than 10.3, so no plan; the native CPU engine runs"


def _orin(sms: int, clock_mhz: int, l2_kib: int | None, found: Sources) -> Gpu:
    return Gpu("Ampere", "8.7", sms, clock_mhz, l2_kib, _INT8, {**_ORIN_SOURCES, **found})


def _cores(cpu: Cpu, cores: int, clock_mhz: int) -> Cpu:
    """`cpu` at this module's number and clock, which are from memory."""
    kept = {k: v for k, v in cpu.sources.items() if k not in ("cores", "clock_mhz")}
    return dataclasses.replace(cpu, cores=cores, clock_mhz=clock_mhz, sources=kept)


JETSONS = (
    Target(
        "nano", "Jetson Nano", "jetson", 4, 25.6,
        cpu=cores.A57,
        gpu=Gpu(
            "Maxwell", "5.3", 1, 921, 256, _FP16,
            {"clock_mhz": sources.MAXWELL_PASCAL_TABLE, "sms": sources.MAXWELL_PASCAL_TABLE,
             "compute_capability": sources.MAXWELL_PASCAL_TABLE},
        ),
        jetpacks=("4.6",),
        note=_OLD,
        sources={"memory_gb": sources.MAXWELL_PASCAL_TABLE,
                 "dram_gbps": sources.MAXWELL_PASCAL_TABLE},
    ),
    Target(
        "tx2", "Jetson TX2", "jetson", 8, 59.7,
        cpu=_cores(cores.A57, 4, 2035),
        gpu=Gpu(
            "Pascal", "6.2", 2, 1300, 512, _FP16,
            {"sms": sources.MAXWELL_PASCAL_TABLE,
             "compute_capability": sources.MAXWELL_PASCAL_TABLE},
        ),
        jetpacks=("4.6",),
        note=_OLD,
    ),
    Target(
        "xavier-nx", "Jetson Xavier NX", "jetson", 8, 59.7,
        cpu=dataclasses.replace(
            cores.CARMEL, cores=6, clock_mhz=1900,
            sources={"cores": sources.XAVIER_NX_MODE, "clock_mhz": sources.XAVIER_NX_MODE},
        ),
        gpu=Gpu(
            "Volta", "7.2", 6, 1100, 512, _INT8, {"clock_mhz": sources.XAVIER_NX_MODE}
        ),
        jetpacks=("4.6", "5.1"),
        note=_OLD,
    ),
    Target(
        "agx-xavier", "Jetson AGX Xavier", "jetson", 32, 136.5,
        cpu=_cores(cores.CARMEL, 8, 2265),
        gpu=Gpu(
            "Volta", "7.2", 8, 1377, 512, _INT8,
            {"compute_capability": sources.XAVIER_QUERY, "sms": sources.XAVIER_QUERY,
             "l2_kib": sources.XAVIER_QUERY},
        ),
        jetpacks=("4.6", "5.1"),
        note=_OLD,
    ),
    Target(
        "orin-nano-4gb", "Jetson Orin Nano 4GB", "jetson", 4, 51,
        cpu=_cores(cores.A78AE, 6, 1728),
        gpu=_orin(4, 1020, None, {"sms": sources.ORIN_NANO_SHEET}),
        jetpacks=_ORIN_JETPACKS,
        sources={"memory_gb": sources.ORIN_NANO_SHEET},
    ),
    Target(
        "orin-nano-8gb", "Jetson Orin Nano 8GB", "jetson", 8, 102,
        cpu=dataclasses.replace(
            cores.A78AE, clock_mhz=1700,
            sources={**cores.A78AE.sources, "clock_mhz": sources.ORIN_NANO_SUPER},
        ),
        gpu=_orin(
            8, 1020, 2048,
            {"sms": sources.ORIN_NANO_SHEET, "clock_mhz": sources.ORIN_NANO_SUPER},
        ),
        jetpacks=_ORIN_JETPACKS,
        note="625 MHz and 68 GB/s outside Super mode",
        sources={"memory_gb": sources.ORIN_NANO_SHEET, "dram_gbps": sources.ORIN_NANO_SUPER},
    ),
    *(
        Target(
            f"orin-nx-{memory}gb", f"Jetson Orin NX {memory}GB", "jetson", memory, 102,
            cpu=_cores(cores.A78AE, number, 1984),
            gpu=_orin(8, 1173, 2048, dict.fromkeys(("sms", "l2_kib"), sources.ORIN_NX_QUERY)),
            jetpacks=_ORIN_JETPACKS,
            note="918 MHz outside Super mode",
        )
        for memory, number in ((8, 6), (16, 8))
    ),
    *(
        Target(
            f"agx-orin-{memory}gb", f"Jetson AGX Orin {memory}GB", "jetson", memory, 204.8,
            cpu=_cores(cores.A78AE, number, 2188),
            gpu=_orin(sms, clock, 4096, found),
            jetpacks=_ORIN_JETPACKS,
        )
        for memory, number, sms, clock, found in (
            (32, 8, 14, 930, {"l2_kib": sources.AGX_ORIN_BRIEF}),
            (64, 12, 16, 1300, dict.fromkeys(("sms", "l2_kib"), sources.AGX_ORIN_BRIEF)),
        )
    ),
    Target(
        "thor-t4000", "Jetson T4000", "jetson", 64, 273,
        cpu=_cores(cores.NEOVERSE_V3AE, 12, 2600),
        gpu=Gpu(
            "Blackwell", "11.0", 12, 1530, None, _FP4, {"compute_capability": sources.JETSON_SKILL}
        ),
        jetpacks=("7.1", "7.2"),
    ),
    Target(
        "thor-t5000", "Jetson T5000 (AGX Thor)", "jetson", 128, 273,
        cpu=cores.NEOVERSE_V3AE,
        gpu=Gpu(
            "Blackwell", "11.0", 20, 1575, 32768, _FP4,
            {"compute_capability": sources.JETSON_SKILL, "sms": sources.THOR_QUERY,
             "l2_kib": sources.THOR_QUERY, "clock_mhz": sources.THOR_OVERVIEW},
        ),
        jetpacks=("7.1", "7.2"),
        sources={"memory_gb": sources.THOR_OVERVIEW, "dram_gbps": sources.THOR_MEMORY},
    ),
)  # fmt: skip
