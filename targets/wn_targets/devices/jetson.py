"""Jetson modules, at the clocks of their fastest power mode (MAXN, Super)."""

from __future__ import annotations

import dataclasses

from wn_targets.devices import cores, sources
from wn_targets.devices.target import Cpu, Gpu, Sources, Target

_FP16 = ("fp32", "fp16")
_INT8 = ("fp32", "fp16", "int8")
_FP4 = ("fp32", "fp16", "int8", "fp8", "fp4")
_ORIN_JETPACKS = ("5.1", "6.0", "6.2", "7.2")
_THOR_JETPACKS = ("7.1", "7.2")
_OLD = "JetPack's TensorRT is older than 10.3, so no plan"


def _cores(cpu: Cpu, *, cores: int, clock_mhz: int) -> Cpu:
    """`cpu` at this module's number and clock, which are from memory."""
    kept = {k: v for k, v in cpu.sources.items() if k not in ("cores", "clock_mhz")}
    return dataclasses.replace(cpu, cores=cores, clock_mhz=clock_mhz, sources=kept)


def _orin_gpu(*, sms: int, clock_mhz: int, l2_kib: int | None, confirmed: Sources) -> Gpu:
    """confirmed: the sources of this module's own figures."""
    return Gpu(
        architecture="Ampere",
        compute_capability="8.7",
        sms=sms,
        clock_mhz=clock_mhz,
        l2_kib=l2_kib,
        precisions=_INT8,
        sources={
            "compute_capability": sources.JETSON_SKILL,
            "precisions": sources.EDGE_LLM_MATRIX,
            **confirmed,
        },
    )


def _orin_nx(*, memory_gb: int, cpu: Cpu) -> Target:
    return Target(
        name=f"orin-nx-{memory_gb}gb",
        title=f"Jetson Orin NX {memory_gb}GB",
        family="jetson",
        memory_gb=memory_gb,
        dram_gbps=102,
        cpu=cpu,
        gpu=_orin_gpu(
            sms=8,
            clock_mhz=1173,
            l2_kib=2048,
            confirmed={"sms": sources.ORIN_NX_QUERY, "l2_kib": sources.ORIN_NX_QUERY},
        ),
        jetpacks=_ORIN_JETPACKS,
        note="918 MHz outside Super mode",
    )


def _agx_orin(*, memory_gb: int, cpu: Cpu, gpu: Gpu) -> Target:
    return Target(
        name=f"agx-orin-{memory_gb}gb",
        title=f"Jetson AGX Orin {memory_gb}GB",
        family="jetson",
        memory_gb=memory_gb,
        dram_gbps=204.8,
        cpu=cpu,
        gpu=gpu,
        jetpacks=_ORIN_JETPACKS,
    )


JETSONS = (
    Target(
        name="nano",
        title="Jetson Nano",
        family="jetson",
        memory_gb=4,
        dram_gbps=25.6,
        cpu=cores.A57,
        gpu=Gpu(
            architecture="Maxwell",
            compute_capability="5.3",
            sms=1,
            clock_mhz=921,
            l2_kib=256,
            precisions=_FP16,
            sources={
                "clock_mhz": sources.MAXWELL_PASCAL_TABLE,
                "sms": sources.MAXWELL_PASCAL_TABLE,
                "compute_capability": sources.MAXWELL_PASCAL_TABLE,
            },
        ),
        jetpacks=("4.6",),
        note=_OLD,
        sources={
            "memory_gb": sources.MAXWELL_PASCAL_TABLE,
            "dram_gbps": sources.MAXWELL_PASCAL_TABLE,
        },
    ),
    Target(
        name="tx2",
        title="Jetson TX2",
        family="jetson",
        memory_gb=8,
        dram_gbps=59.7,
        cpu=_cores(cores.A57, cores=4, clock_mhz=2035),
        gpu=Gpu(
            architecture="Pascal",
            compute_capability="6.2",
            sms=2,
            clock_mhz=1300,
            l2_kib=512,
            precisions=_FP16,
            sources={
                "sms": sources.MAXWELL_PASCAL_TABLE,
                "compute_capability": sources.MAXWELL_PASCAL_TABLE,
            },
        ),
        jetpacks=("4.6",),
        note=_OLD,
    ),
    Target(
        name="xavier-nx",
        title="Jetson Xavier NX",
        family="jetson",
        memory_gb=8,
        dram_gbps=59.7,
        cpu=dataclasses.replace(
            cores.CARMEL,
            cores=6,
            clock_mhz=1900,
            sources={"cores": sources.XAVIER_NX_MODE, "clock_mhz": sources.XAVIER_NX_MODE},
        ),
        gpu=Gpu(
            architecture="Volta",
            compute_capability="7.2",
            sms=6,
            clock_mhz=1100,
            l2_kib=512,
            precisions=_INT8,
            sources={"clock_mhz": sources.XAVIER_NX_MODE},
        ),
        jetpacks=("4.6", "5.1"),
        note=_OLD,
    ),
    Target(
        name="agx-xavier",
        title="Jetson AGX Xavier",
        family="jetson",
        memory_gb=32,
        dram_gbps=136.5,
        cpu=_cores(cores.CARMEL, cores=8, clock_mhz=2265),
        gpu=Gpu(
            architecture="Volta",
            compute_capability="7.2",
            sms=8,
            clock_mhz=1377,
            l2_kib=512,
            precisions=_INT8,
            sources={
                "compute_capability": sources.XAVIER_QUERY,
                "sms": sources.XAVIER_QUERY,
                "l2_kib": sources.XAVIER_QUERY,
            },
        ),
        jetpacks=("4.6", "5.1"),
        note=_OLD,
    ),
    Target(
        name="orin-nano-4gb",
        title="Jetson Orin Nano 4GB",
        family="jetson",
        memory_gb=4,
        dram_gbps=51,
        cpu=_cores(cores.A78AE, cores=6, clock_mhz=1728),
        gpu=_orin_gpu(
            sms=4, clock_mhz=1020, l2_kib=None, confirmed={"sms": sources.ORIN_NANO_SHEET}
        ),
        jetpacks=_ORIN_JETPACKS,
        sources={"memory_gb": sources.ORIN_NANO_SHEET},
    ),
    Target(
        name="orin-nano-8gb",
        title="Jetson Orin Nano 8GB",
        family="jetson",
        memory_gb=8,
        dram_gbps=102,
        cpu=dataclasses.replace(
            cores.A78AE,
            clock_mhz=1700,
            sources={**cores.A78AE.sources, "clock_mhz": sources.ORIN_NANO_SUPER},
        ),
        gpu=_orin_gpu(
            sms=8,
            clock_mhz=1020,
            l2_kib=2048,
            confirmed={"sms": sources.ORIN_NANO_SHEET, "clock_mhz": sources.ORIN_NANO_SUPER},
        ),
        jetpacks=_ORIN_JETPACKS,
        note="625 MHz and 68 GB/s outside Super mode",
        sources={"memory_gb": sources.ORIN_NANO_SHEET, "dram_gbps": sources.ORIN_NANO_SUPER},
    ),
    _orin_nx(memory_gb=8, cpu=_cores(cores.A78AE, cores=6, clock_mhz=1984)),
    _orin_nx(memory_gb=16, cpu=_cores(cores.A78AE, cores=8, clock_mhz=1984)),
    _agx_orin(
        memory_gb=32,
        cpu=_cores(cores.A78AE, cores=8, clock_mhz=2188),
        gpu=_orin_gpu(
            sms=14, clock_mhz=930, l2_kib=4096, confirmed={"l2_kib": sources.AGX_ORIN_BRIEF}
        ),
    ),
    _agx_orin(
        memory_gb=64,
        cpu=_cores(cores.A78AE, cores=12, clock_mhz=2188),
        gpu=_orin_gpu(
            sms=16,
            clock_mhz=1300,
            l2_kib=4096,
            confirmed={"sms": sources.AGX_ORIN_BRIEF, "l2_kib": sources.AGX_ORIN_BRIEF},
        ),
    ),
    Target(
        name="thor-t4000",
        title="Jetson T4000",
        family="jetson",
        memory_gb=64,
        dram_gbps=273,
        cpu=_cores(cores.NEOVERSE_V3AE, cores=12, clock_mhz=2600),
        gpu=Gpu(
            architecture="Blackwell",
            compute_capability="11.0",
            sms=12,
            clock_mhz=1530,
            l2_kib=None,
            precisions=_FP4,
            sources={"compute_capability": sources.JETSON_SKILL},
        ),
        jetpacks=_THOR_JETPACKS,
    ),
    Target(
        name="thor-t5000",
        title="Jetson T5000 (AGX Thor)",
        family="jetson",
        memory_gb=128,
        dram_gbps=273,
        cpu=cores.NEOVERSE_V3AE,
        gpu=Gpu(
            architecture="Blackwell",
            compute_capability="11.0",
            sms=20,
            clock_mhz=1575,
            l2_kib=32768,
            precisions=_FP4,
            sources={
                "compute_capability": sources.JETSON_SKILL,
                "sms": sources.THOR_QUERY,
                "l2_kib": sources.THOR_QUERY,
                "clock_mhz": sources.THOR_OVERVIEW,
            },
        ),
        jetpacks=_THOR_JETPACKS,
        sources={"memory_gb": sources.THOR_OVERVIEW, "dram_gbps": sources.THOR_MEMORY},
    ),
)
