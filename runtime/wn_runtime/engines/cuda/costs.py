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

CHAINED_CYCLES = 520.0
"""A layer of one product, in a cluster with one stream. [M: H200, `bench/results/cuda-h200.json`:
L20 R64 S128 in 14.6 k cycles, L30 R64 S256 in 21.4 k, less the head and the hand-overs]"""
GROUP_CYCLES = 1540.0
"""The same with several streams. [M: L20 int8 there, clusters of 7 blocks for 4 streams each, in
35.7 k cycles]"""
LAYER_CYCLES = 1155.0
"""A layer of one tile of columns: two dependent products, their barriers and the gate, with other
warps' work in between. [M: the same models in one block, 25.2 k and 37.3 k cycles]"""
TILE_CYCLES = 900.0
"""The same for each further tile of columns. [M: L30 int8 there, 16 streams a block, four tiles, in
124 k cycles; the second tile alone takes 500]"""
SCALAR_CYCLES = 17_000.0
"""A layer in float32, which has no tiles. [M: L20 there in 349 k cycles, L30 in 699 k]"""
HEAD_CYCLES = 2300.0
"""The head's two products, the draw and the embedding. [M: clocks read inside the kernel, there]"""
HANDOVER_CYCLES = 258.0
"""From one block of a cluster to the next, by distributed shared memory. [M: `python -m
bench.gpu.constants` on an H200, half of there and back]"""
FLAG_CYCLES = 1003.0
"""From one block to another by a flag in global memory. [M: there, 931 for the flag and its answer,
and 72 for the turn of warps in the block that it comes to]"""
HEADS_CYCLES = 700.0
"""What the head's products in blocks of their own add to that of one block. [M: as HEAD_CYCLES]"""
BLOCK_BYTES = {"copies": 92.0, "ring": 32.0, "direct": 24.3}
"""Bytes a clock that one block reads from the L2 cache: by the copy engine of compute capability
9.0 and newer into a ring ahead of their use [M: bench/gpu/constants.py, H200, all blocks at once;
106 for one alone], by copies of threads into a ring [A: half of the 64 of the port], and by loads
where they are needed [M: as the first]."""
L2_BYTES = {"copies": 92.0, "loads": 24.4}
"""Bytes a clock and multiprocessor that the L2 cache gives where all read. [M: as BLOCK_BYTES, of
one MiB that all of them read]"""
FLOOR_LAYER_CYCLES = {1: 450.0, 2: 240.0}
"""The least of a layer: its instructions' latencies one after another. With two products in one
block [A], and with one product (2: in several blocks) [M: `python -m bench.gpu.cubins` walks both
ways to the next z in the machine code for sm_90, with an H200's latencies, of L30 R64 S256; the
longer one is by h]."""
PORT_BYTES = {"copies": 106.0, "loads": 64.0}
"""Bytes a clock of a multiprocessor's port to the L2 cache: no block reads faster. [M by copies, as
BLOCK_BYTES; P: NVIDIA's tuning guides, from Volta on]"""
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
    largest_cluster: int = 16
    """Blocks of a cluster that it can host, as far as it was asked."""
    cooperative: bool = True
    """Whether it runs a block on each multiprocessor at once, as far as it was asked."""

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
        return min(self.largest_cluster, 16 if self.sm < 110 else 8)


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
    """What a block reads in a step: of one that is alone all weights, unless they are resident; of
    several the most that one of them reads."""
    macs: float
    """Multiply-adds of a stream's step."""
    shares: tuple[int, ...] = ()
    """Layers of each of several blocks that have any."""
    skip_bytes: float = 0.0
    """Skip weights of a layer, where all of these but the last read them."""
    chained: bool = False
    """Whether several blocks have one stream, and a layer one product."""
    flags: bool = False
    """Whether they hand over by flags in global memory."""


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
    several = kernel.blocks > 1
    first = CHAINED_CYCLES if kernel.chained else LAYER_CYCLES
    if several and kernel.streams > 1:
        first = GROUP_CYCLES
    layer = SCALAR_CYCLES if scalar else first + TILE_CYCLES * (tiles - 1)
    chain = kernel.layers * layer + HEAD_CYCLES
    products = kernel.macs * kernel.streams / (SCALAR_PRODUCTS * kernel.blocks) if scalar else 0.0
    reading, level = 0.0, "L2"
    if kernel.bytes and (several or kernel.source != "resident"):
        rate, level = read_rate(kernel, busy * kernel.blocks, gpu)
        reading = kernel.bytes / rate
        chain += _late(kernel, layer, rate)
    if several:
        chain += _handover(kernel) * kernel.blocks + HEADS_CYCLES
    return Cost(chain, reading, products, level, math.ceil(groups / at_once))


def _late(kernel: Kernel, layer: float, rate: float) -> float:
    """Cycles that the sum waits for a block which reads its skip weights from global memory.

    Beyond those that the chain takes from that block's first layer to the last of all.
    """
    late, to_come = 0.0, float(kernel.shares[-1]) if kernel.shares else 0.0
    for own in reversed(kernel.shares[:-1]):
        to_come += own
        late = max(late, own * kernel.skip_bytes / rate - to_come * layer)
    return late


def floor(kernel: Kernel, gpu: Gpu) -> float:
    """Cycles of one stream's step that nothing written for these parts can be below."""
    several = kernel.blocks > 1
    chain = kernel.layers * FLOOR_LAYER_CYCLES[2 if kernel.chained else 1] + HEAD_CYCLES
    chain += _handover(kernel) * kernel.blocks if several else 0.0
    port = PORT_BYTES[_how(kernel, gpu)]
    return max(chain, 0.0 if kernel.source == "resident" and not several else kernel.bytes / port)


def _handover(kernel: Kernel) -> float:
    return FLAG_CYCLES if kernel.flags else HANDOVER_CYCLES


def _how(kernel: Kernel, gpu: Gpu) -> str:
    """By what a kernel that streams its weights reads them."""
    return "copies" if kernel.source == "ring" and gpu.sm >= 90 else "loads"


def read_rate(kernel: Kernel, busy: int, gpu: Gpu) -> tuple[float, str]:
    """Bytes a clock of one block while `busy` read the same weights, and from where."""
    how = _how(kernel, gpu)
    shares = {"L2": L2_BYTES[how] * gpu.multiprocessors / busy}
    size = kernel.bytes * kernel.blocks  # of a group
    if gpu.l2_bytes is not None and size > gpu.l2_bytes and gpu.dram_bytes_per_cycle:
        shares["DRAM"] = gpu.dram_bytes_per_cycle / busy
    level = min(shares, key=lambda name: shares[name])
    source = "direct" if kernel.blocks > 1 else kernel.source
    own = BLOCK_BYTES["copies" if how == "copies" else source]
    return min(own, shares[level]), level
