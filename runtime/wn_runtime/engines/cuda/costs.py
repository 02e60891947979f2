"""What a step of the fused kernel costs: its chain of layers, and weights through the caches.

    step = waves * max(chain, reading, products)    cycles of the GPU's clock

docs/cuda.md writes the model out. All its constants are here, each with where it is from:
[M] measured, [P] published, [A] assumed. Nothing but the standard library is imported: wn-doctor
reads the kinds where NumPy cannot be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

COLUMNS = 8
"""Of a tile of products (`mma`): what they cost is the same for one column as for all."""

LAYER_CYCLES = 900.0
"""A layer of one tile of columns: two dependent products, their barriers and the gate. [M: an early
version on an H200 at 1.98 GHz, L20 R64 S128 and L30 R64 S256 in a cluster: 20.4 k and 31.9 k cycles
a step]"""
TILE_CYCLES = 400.0
"""The same for each further tile of columns. [A: 16 int8 streams of L30, four tiles, took 103 k
cycles there, of which the reading may have been all]"""
SCALAR_CYCLES = 1500.0
"""A layer in float32, which has no tiles. [A]"""
HEAD_CYCLES = 1600.0
"""The head's two products, the draw and the embedding. [A: from the SASS of its parts]"""
HANDOVER_CYCLES = 280.0
"""From one block of a cluster to the next, by distributed shared memory. [A]"""
HEADS_CYCLES = 700.0
"""What the head's products in blocks of their own add to that of one block. [A]"""
BLOCK_BYTES = {"ring": 32.0, "direct": 24.0}
"""Bytes a clock that one block reads from the L2 cache: with copies into a ring ahead of their use
[A: half of the 64 of the port], and by loads where they are needed [P: nv-wavenet's single block on
a V100, 1.34 MB in 37 µs]."""
L2_BYTES = 15.0
"""Bytes a clock and multiprocessor that the L2 cache gives where all read. [M: 132 blocks of L30
int8 on an H200 read 1.53 MB each in 103 k cycles; P: 2155 GB/s of a V100 are 18]"""
FLOOR_LAYER_CYCLES = {1: 450.0, 2: 250.0}
"""The least of a layer: its instructions' latencies one after another, from the SASS, with two
products in one block and with one product in a cluster (2: of several blocks). [A]"""
PORT_BYTES = 64.0
"""Bytes a clock of a multiprocessor's port to the L2 cache: no block reads faster. [P: NVIDIA's
tuning guides, from Volta on]"""
SCALAR_PRODUCTS = 64.0
"""Multiply-adds a clock of one block in float32. [A: half of a multiprocessor's 128 lanes]"""

TILE_BYTES = {"int8": 1.0, "fp16": 2.0, "fp32": 4.0}
"""Of a weight."""
COLUMNS_A_STREAM = {"int8": 2, "fp16": 1, "fp32": 1}
"""An int16 activation is two int8 columns."""


@dataclass(frozen=True)
class Gpu:
    """What the model needs to know of a GPU."""

    compute_capability: str
    """`8.7`."""
    multiprocessors: int
    shared_bytes: int
    """Shared memory that a thread block can have."""
    l2_bytes: float | None = None
    """Of its L2 cache; None: not known, and taken to hold any model."""
    dram_bytes_per_cycle: float | None = None
    """Bytes a clock from its memory; None: not known."""

    @property
    def sm(self) -> int:
        """The compute capability as compilers write it: 87 for 8.7."""
        return int(self.compute_capability.replace(".", ""))

    @property
    def most_cluster(self) -> int:
        """Blocks of the largest cluster; 1 where there are none.

        8 wherever there are any, 16, which is not portable, of the GPUs of data centres.
        """
        if self.sm < 90:
            return 1
        return 16 if self.sm < 110 else 8


@dataclass(frozen=True)
class Kernel:
    """One launch, as far as its speed depends on it."""

    precision: str
    source: str
    """`resident`, `ring` or `direct`: where the weights of a block are."""
    streams: int
    """Of a group."""
    blocks: int
    """Of a group."""
    layers: int
    bytes: float
    """All weights: what a group reads in a step, unless they are resident."""
    macs: float
    """Multiply-adds of a stream's step."""


@dataclass(frozen=True)
class Cost:
    """Cycles of a step of all streams, by what they are spent on."""

    chain: float
    """From each layer to the next, the head and the draw: what no further stream waits for."""
    reading: float
    products: float
    level: str
    """Where the weights are read from: `L2` or `DRAM`."""
    waves: int
    """Times that the GPU's multiprocessors are all taken, one after another."""

    @property
    def cycles(self) -> float:
        """Of a step."""
        return self.waves * max(self.chain, self.reading, self.products)

    @property
    def limit(self) -> str:
        """What would have to be faster."""
        largest = max(self.chain, self.reading, self.products)
        if largest == self.chain:
            return "latency"
        return f"{self.level} bandwidth" if largest == self.reading else "arithmetic"


def cost(kernel: Kernel, batch: int, gpu: Gpu) -> Cost:
    """Of a step of `batch` streams on a GPU that has nothing else to do."""
    groups = -(-batch // kernel.streams)
    at_once = max(1, gpu.multiprocessors // kernel.blocks)
    busy = min(groups, at_once)
    scalar = kernel.precision == "fp32"
    tiles = -(-kernel.streams * COLUMNS_A_STREAM[kernel.precision] // COLUMNS)
    layer = SCALAR_CYCLES if scalar else LAYER_CYCLES + TILE_CYCLES * (tiles - 1)
    chain = kernel.layers * layer + HEAD_CYCLES
    if kernel.blocks > 1:
        chain += HANDOVER_CYCLES * kernel.blocks + HEADS_CYCLES
    products = kernel.macs * kernel.streams / (SCALAR_PRODUCTS * kernel.blocks) if scalar else 0.0
    reading, level = 0.0, "L2"
    if kernel.source != "resident":
        rate, level = read_rate(kernel, busy, gpu)
        reading = kernel.bytes / rate
    return Cost(chain, reading, products, level, math.ceil(groups / at_once))


def floor(kernel: Kernel) -> float:
    """Cycles of one stream's step that nothing written for these parts can be below."""
    several = kernel.blocks > 1
    chain = kernel.layers * FLOOR_LAYER_CYCLES[2 if several else 1] + HEAD_CYCLES
    chain += HANDOVER_CYCLES * kernel.blocks if several else 0.0
    return max(chain, 0.0 if kernel.source == "resident" else kernel.bytes / PORT_BYTES)


def read_rate(kernel: Kernel, busy: int, gpu: Gpu) -> tuple[float, str]:
    """Bytes a clock of one block while `busy` read the same weights, and from where."""
    shares = {"L2": L2_BYTES * gpu.multiprocessors / busy}
    if gpu.l2_bytes is not None and kernel.bytes > gpu.l2_bytes and gpu.dram_bytes_per_cycle:
        shares["DRAM"] = gpu.dram_bytes_per_cycle / busy
    level = min(shares, key=lambda name: shares[name])
    return min(BLOCK_BYTES[kernel.source], shares[level]), level
