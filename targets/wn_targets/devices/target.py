"""What is known of a device: its processors, its memory, and where each figure comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Sources = Mapping[str, str]
"""Field name to the source that confirms its figure. A figure without one is unconfirmed."""


@dataclass(frozen=True, kw_only=True)
class Cpu:
    """One core of a processor, and how many of it there are."""

    core: str
    """Microarchitecture: `Cortex-A78AE`."""
    isa: str
    """Vector code of the native engine that runs on it: a key of `native.costs.COSTS`."""
    march: str
    """`-march` of GCC that uses all of it; native.platforms knows the machine by it."""
    cores: int
    """Cores of this kind."""
    clock_mhz: int
    """MHz, the highest that is sustained."""
    l2_kib: int
    """KiB of second-level cache that one core can use."""
    l3_kib: int
    """KiB of the last cache before memory, shared; 0: none."""
    l2_bytes_per_cycle: float
    """Bytes per cycle that one core reads from its second-level cache."""
    l3_gbps: float
    """GB/s that one core reads from the last cache (from memory where there is none)."""
    core_dram_gbps: float
    """GB/s that one core alone reads from memory."""
    ipc: float = 1.0
    """Arm and RISC-V: instructions per cycle on the native engine's code. x86-64: 1, as its costs
    are in cycles already."""
    sources: Sources = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """An NVIDIA GPU."""

    architecture: str
    """`Ampere`, `Hopper`, …"""
    compute_capability: str
    """`8.7`: what kernels and TensorRT plans are built for."""
    sms: int
    """Streaming multiprocessors."""
    clock_mhz: int
    """MHz, the highest (on Jetson: MAXN or Super mode)."""
    l2_kib: int | None
    """KiB of second-level cache; None: not known, and taken as none."""
    precisions: tuple[str, ...]
    """Types its matrix units or vector units take: fp32, fp16, int8, fp8, fp4."""
    sources: Sources = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def sm(self) -> int:
        """The compute capability as compilers write it: 87 for 8.7."""
        return int(self.compute_capability.replace(".", ""))

    @property
    def shared_bytes(self) -> int:
        """Shared memory that a thread block can have.

        CUDA C++ Programming Guide, technical specifications by compute capability.
        """
        kib = {75: 64, 80: 163, 86: 99, 87: 163, 89: 99, 120: 99, 121: 99}
        return (kib.get(self.sm, 227) if self.sm >= 75 else 48) * 1024


@dataclass(frozen=True, kw_only=True)
class Target:
    """A device that may run a model."""

    name: str
    """What commands call it: `orin-nano-8gb`."""
    title: str
    """What its maker calls it."""
    family: str
    """`jetson`, `gpu` or `cpu`."""
    memory_gb: float | None
    """GB that the engines can use: the GPU's own, or the module's. None: not a property of it."""
    dram_gbps: float | None
    """GB/s of memory bandwidth, all processors together. None: not a property of it (a CPU's)."""
    cpu: Cpu | None = None
    """The cores of a Jetson or CPU; None for a graphics card, which sits in any host."""
    gpu: Gpu | None = None
    system: str = "linux"
    """What runs on it: `linux`, `windows` or `macos`."""
    jetpacks: tuple[str, ...] = ()
    """JetPack releases that run on it, oldest first: keys of `jetpack.JETPACKS`."""
    note: str = ""
    """What else decides whether it is the right device."""
    sources: Sources = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)
        if self.cpu is None and self.gpu is None:
            raise ValueError(f"{self.name} has neither cpu nor gpu")
        if self.gpu is not None and not self.dram_gbps:
            raise ValueError(f"{self.name} has a gpu, but not the bandwidth of its memory")

    def figures(self) -> Iterator[tuple[str, str, str, str | None]]:
        """Every figure: part (``, `cpu`, `gpu`), field, value, and its source or None."""
        for part, item in (("", self), ("cpu", self.cpu), ("gpu", self.gpu)):
            for f in dataclasses.fields(item) if item is not None else ():
                value = getattr(item, f.name)
                known = isinstance(value, (int, float)) and value > 0
                if known or f.name in ("compute_capability", "precisions", "core"):
                    shown = ", ".join(value) if isinstance(value, tuple) else str(value)
                    yield part, f.name, shown, item.sources.get(f.name)  # type: ignore[union-attr]


def _check(item: Target | Cpu | Gpu) -> None:
    """Sources may only name figures that are there: a misspelt one would confirm nothing."""
    names = {f.name for f in dataclasses.fields(item)}
    for name in item.sources:
        if name not in names or getattr(item, name) is None:
            raise ValueError(f"{type(item).__name__} has a source for {name!r}, which is not there")
