"""How one kernel shares out a model: streams, thread blocks, warps, and where weights lie.

Mirrors layout.cuh, whose static assertions hold the sizes counted here to the compiler's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from wn_runtime.engines.cuda.widths import K_HEAD, K_TILE, Widths, even, padded
from wn_runtime.model.spec import ModelSpec

PRECISIONS = ("int8", "fp16", "fp32")
"""Of the weights, fastest first."""
TILE_BYTES, COLUMNS_BYTES = 512, 256
_WHERE = {
    "resident": "in shared memory",
    "ring": "streamed through shared memory",
    "direct": "in global memory",
}
READS = ("", "skip", "older")
"""What blocks of a group of several leave in global memory, as the chain does not wait for it:
nothing; the skip weights of all blocks but the last; and the older taps' of all blocks as well."""
_READING = {
    "": "",
    "skip": ", skip weights in global memory",
    "older": ", skip weights and older taps in global memory",
}
_ALIGNMENT = 128


@dataclass(frozen=True)
class Schedule:
    """One kernel's: everything but the weights' values."""

    spec: ModelSpec
    precision: str
    streams: int
    """Of a group: what one block, or one cluster, moves on together."""
    first_layer: tuple[int, ...]
    """The first layer of each block of the cluster, and L: (0, L) for one block that has all."""
    head_rank: int
    """The block that makes the skip sum and the head's first product."""
    params_rank: int
    """The block that makes the second, and draws."""
    source: str
    """Where a block's weights are: "resident", all in its shared memory; "ring", streamed through
    a ring of stages there; "direct", read from global memory."""
    stages: int = 0
    """Of a ring."""
    chained: bool = False
    """Whether a layer's chain has one product, of z and a matrix for it, in place of two."""
    embed_shared: bool = False
    """Whether the block that draws has the embedding in shared memory."""
    most_warps: tuple[int, int, int, int] = (8, 4, 4, 4)
    """Gate, residual, skip and older warps; fewer where there are fewer tiles."""
    read: str = ""
    """One of READS."""
    skip_early: int = 0
    """The first block whose skip warps begin with its first layer; those before it wait until the
    chain has left them."""
    head_read: bool = False
    """Whether the head's blocks read their weights from global memory, ahead of their use."""
    flags: bool = False
    """Whether several blocks hand over by flags in global memory, and need not be a cluster."""

    @property
    def cluster(self) -> int:
        """Thread blocks of a group."""
        return len(self.first_layer) - 1

    @property
    def note(self) -> str:
        """How it runs, for the line a command prints."""
        several = f"{self.cluster} blocks" if self.flags else f"a cluster of {self.cluster} blocks"
        blocks = several if self.cluster > 1 else "a block"
        group = f" for {self.streams} streams" if self.streams > 1 else ""
        return f"{blocks}{group}, weights {_WHERE[self.source]}{_READING[self.read]}"

    @property
    def widths(self) -> Widths:
        """Padded channels, and warps."""
        return Widths.of(self.spec, self.precision, self.most_warps[:3], self.spread)

    @property
    def spread(self) -> bool:
        """Whether the lanes of a row share out a warp's tiles, as one stream has one column."""
        return self.cluster > 1 and self.streams == 1

    @property
    def older_warps(self) -> int:
        """Warps that sum what the gates need beside this step's input."""
        return even(self.widths.z // 8, self.most_warps[3], self.spread)[0]

    @property
    def layer_ranks(self) -> int:
        """Blocks that have layers: the first of the cluster."""
        return sum(a < b for a, b in itertools.pairwise(self.first_layer))

    @property
    def warps(self) -> int:
        """With a role in the computation."""
        widths = self.widths
        return widths.gate_warps + widths.residual_warps + widths.skip_warps + self.older_warps

    @property
    def threads(self) -> int:
        """Of a block; one warp more keeps a ring filled."""
        return 32 * (self.warps + (self.source == "ring"))

    @property
    def columns(self) -> int:
        """Of the layers' rows: two a stream in int8."""
        return self.streams * (2 if self.precision == "int8" else 1)

    @property
    def z_depth(self) -> int:
        """Rows of z that are kept: of all layers of a block, or those the skip warps may lag."""
        if self.chained:
            return self.sums_depth
        return 3 if self.columns <= 8 else 2

    @property
    def sums_depth(self) -> int:
        """Layers whose gate sums are kept: all of a block's, or those the older warps are ahead."""
        if not self.chained:
            return 2
        return max(b - a for a, b in itertools.pairwise(self.first_layer))

    @property
    def line_rows(self) -> int:
        """Rows of all delay lines of a stream: of each layer one more than it looks back."""
        return self.spec.state_rows + self.spec.layers

    @property
    def line_bytes(self) -> int:
        """A row of a group."""
        return self.widths.residual // K_TILE[self.precision] * self.columns * 32

    @property
    def layer_bytes(self) -> int:
        """The struct Layer."""
        w, k = self.widths, K_TILE[self.precision]
        gates, residuals = w.z // 8, w.residual // 16
        tiles = gates * (w.residual // k) + (residuals + gates * self.chained) * (w.z // k)
        rows = gates + residuals
        size = tiles * TILE_BYTES + rows * 64
        if self.precision == "int8":
            size += ((1 + self.chained) * gates + residuals) * 64 + 16
        return size + self.skip_bytes * (not self.read) + self.older_bytes * (self.read != "older")

    @property
    def skip_bytes(self) -> int:
        """The struct Skip: of a layer."""
        w, k = self.widths, K_TILE[self.precision]
        return w.skip // 16 * (w.z // k * TILE_BYTES + 64 * (self.precision == "int8"))

    @property
    def older_bytes(self) -> int:
        """The struct Older: of a layer."""
        w, k = self.widths, K_TILE[self.precision]
        tiles = (self.spec.kernel - 1) * (w.z // 8)
        return tiles * (w.residual // k * TILE_BYTES + 64 * (self.precision == "int8"))

    @property
    def head_bytes(self) -> tuple[int, int]:
        """The tiles of the head's two products."""
        w, k = self.widths, K_HEAD[self.precision]
        return (
            w.head // 16 * (w.skip // k) * TILE_BYTES,
            w.params // 16 * (w.head // k) * TILE_BYTES,
        )

    @property
    def stage_holds_head(self) -> bool:
        """Whether a ring's stage, a layer's weights, has room for 16 outputs of the head."""
        w, k = self.widths, K_HEAD[self.precision]
        return max(w.skip, w.head) // k * TILE_BYTES <= self.layer_bytes

    @property
    def model_bytes(self) -> int:
        """The struct Model."""
        w, spec = self.widths, self.spec
        floats = w.skip + w.head + w.params + padded(spec.layers, 4)
        layer = self.layer_bytes + self.skip_bytes * bool(self.read)
        layer += self.older_bytes * (self.read == "older")
        size = spec.layers * layer + sum(self.head_bytes) + 4 * floats
        return size + self.embedding_bytes

    @property
    def embedding_bytes(self) -> int:
        """The struct Embedding."""
        spec = self.spec
        codes = spec.output.codes
        rows = spec.input_kernel * codes if codes else spec.input_kernel + 1
        return 4 * rows * self.widths.residual

    @property
    def mail_bytes(self) -> int:
        """The struct Mail: global memory of a group, where it hands over by flags."""
        if not self.flags:
            return 0
        w = self.widths
        numbers = self.layer_ranks * (w.residual + w.skip) + w.head // 2
        return padded(8 * self.streams * numbers, _ALIGNMENT)

    @property
    def layers_working_bytes(self) -> int:
        """The struct Shared up to the head's."""
        w, k = self.widths, K_TILE[self.precision]
        inputs = self.sums_depth if self.chained else 1
        rows = (inputs * (w.residual // k) + self.z_depth * (w.z // k)) * -(-self.columns // 8)
        floats = self.streams * w.residual + 4 * self.spec.layers
        floats += self.sums_depth * (w.z // 8) * self.streams * 16
        signals = 3 + 2 * self.stages + self.chained * self.z_depth
        return padded(rows * COLUMNS_BYTES + 4 * floats + 8 * signals, _ALIGNMENT)

    @property
    def working_bytes(self) -> int:
        """The struct Shared."""
        w = self.widths
        rows = (w.skip + w.head) // K_HEAD[self.precision] * -(-self.streams // 8)
        floats = w.head + w.params + self.streams * max(self.layer_ranks * w.skip, w.params)
        return self.layers_working_bytes + padded(rows * COLUMNS_BYTES + 4 * floats, _ALIGNMENT)

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a block."""
        return max(
            self.weight_bytes(rank)
            + (self.working_bytes if self.has_head(rank) else self.layers_working_bytes)
            for rank in range(self.cluster)
        )

    def has_head(self, rank: int) -> bool:
        """Whether a block has the head, or a share of it: alone, or where it has no layers."""
        return self.cluster == 1 or rank >= self.layer_ranks

    def layers_of(self, rank: int) -> int:
        """Layers that a block has."""
        return self.first_layer[rank + 1] - self.first_layer[rank]

    def weight_bytes(self, rank: int) -> int:
        """Of a block's shared memory."""
        embedding = self.embedding_bytes * (self.embed_shared and rank == self.params_rank)
        if self.source == "ring":
            return embedding + self.stages * self.layer_bytes
        if self.source == "direct":
            return embedding
        own = self.skip_bytes * (bool(self.read) and rank == self.layer_ranks - 1)
        size = embedding + self.layers_of(rank) * (self.layer_bytes + own)
        if self.head_read:
            return size
        head0, head1 = self.head_bytes
        return size + head0 * (rank == self.head_rank) + head1 * (rank == self.params_rank)

    def read_bytes(self, rank: int) -> int:
        """What a block of several reads from global memory in a step."""
        if self.has_head(rank):
            ranks = (self.head_rank, self.params_rank)
            both = zip(ranks, self.head_bytes, strict=True)
            return sum(size for at, size in both if at == rank) * self.head_read
        skip = self.skip_bytes * (bool(self.read) and rank < self.layer_ranks - 1)
        return self.layers_of(rank) * (skip + self.older_bytes * (self.read == "older"))
