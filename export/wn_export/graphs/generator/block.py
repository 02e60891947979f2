"""A block of up to K samples: the far layers' older taps at once, then a step for each sample.

sample [B, k0], lines ──┐                           ┌─ sample, lines of the next block
rows n·K to n·K + K ────┴─ far taps, scan of steps ─┴─ what the steps made, padded to K
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.generator.draws import Draw
from wn_export.graphs.generator.lines import Lines
from wn_export.graphs.generator.rows import Row, Rows, cut
from wn_export.graphs.generator.step import build_step
from wn_export.graphs.step import older_weights, residual_offsets, tap_constants
from wn_runtime.engines.generator.signature import BLOCK
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

_INT64, _SINGLE = np.dtype(np.int64), np.dtype(np.float32)


@dataclass(frozen=True)
class Block:
    """What the graph of a block is built from."""

    spec: ModelSpec
    weights: Weights
    lines: Lines
    draw: Draw
    rows: Rows
    """Of the call: the draw's, known, is_known, and with conditioning row, the bias's."""
    batch: int

    def build(self) -> onnx.GraphProto:
        """The body of the loop over a call's blocks."""
        spec, lines, batch, head = self.spec, self.lines, self.batch, self.spec.output
        block = GraphBuilder("block", "fp32", "block:")
        window = (batch, spec.input_kernel)
        state = (spec.state_rows, batch, spec.residual_channels)
        block.input("block/number", (1,), np.int64)
        block.input("block/more", (1,), np.bool_)
        block.input("block/sample", window, head.sample_dtype)
        block.input("block/lines", state)
        size = block.shape(BLOCK)
        start = block.node("Mul", "block/start", "block/number", size)
        end = block.node("Add", "block/end", start, size)
        cut(block, self.rows, start, end)
        count = block.node("Shape", "block/count", "block/known", start=0, end=1)  # [1]
        rows = {**self.rows, **self._scanned(block, count)}
        rows.pop("row", None)

        body = build_step(spec, self.weights, lines, self.draw, rows, batch)
        belt = [self._belt(block)] if lines.near else []
        made = ["block/samples", "block/params", "block/finite", "block/far_inputs"]
        block.several(
            "Scan",
            "block/steps",
            ["block/sample", *belt, *(f"block/{name}" for name in rows)],
            ["sample/after", *(["belt/after"] if belt else []), *made[: 3 + bool(lines.far)]],
            body=body,
            num_scan_inputs=len(rows),
        )
        block.node("Identity", "block/on", "block/more")
        block.output("block/on", (1,), np.bool_)
        block.output("sample/after", window, head.sample_dtype)
        block.output(self._lines_after(block, count), state)
        self._outputs(block, count)
        return block.graph()

    def _scanned(self, block: GraphBuilder, count: str) -> Rows:
        """What a step reads besides the rows of the call."""
        spec, lines, batch = self.spec, self.lines, self.batch
        channels = (batch, spec.gate_channels)
        rows: dict[str, Row] = {}
        if lines.near:
            for name, indices in (("taps", lines.near_taps), ("written", lines.near_written)):
                every = block.constant(f"belt/{name}", indices)
                block.node("Slice", f"block/{name}", every, block.shape(0), count)
                rows[name] = Row(indices.shape[1:], _INT64)
            if spec.conditioning:
                block.node("Gather", "block/near", "call/bias/near", "block/row", axis=0)
                rows["near"] = Row((len(lines.near), *channels), _SINGLE)
        if lines.far:
            self._far_taps(block, count)
            rows["far"] = Row((len(lines.far), *channels), _SINGLE)
        return rows

    def _far_taps(self, block: GraphBuilder, count: str) -> None:
        """The far layers' sums without their current tap: `block/far` [n, far, B, G].

        The product is always of K samples, so that a sample's does not depend on its block.
        """
        spec, batch, older = self.spec, self.batch, self.spec.kernel - 1
        far, gate = list(self.lines.far), spec.gate_channels
        indices = block.constant("far/indices", self.lines.far_taps)
        x = block.node("Gather", "far/rows", "block/lines", indices)  # [far, K, k-1, B, R]
        if older > 1 and batch > 1:
            x = block.node("Transpose", "far/by_stream", x, perm=[0, 1, 3, 2, 4])
        flat = block.shape(len(far), BLOCK * batch, older * spec.residual_channels)
        x = block.node("Reshape", "far/past", x, flat)
        weight = block.constant("far.weight", older_weights(spec, self.weights)[far])
        x = block.node("MatMul", "far/product", x, weight)
        x = block.node("Reshape", "far/each", x, block.shape(len(far), BLOCK, batch, gate))
        x = block.node("Transpose", "far/by_sample", x, perm=[1, 0, 2, 3])
        x = block.node("Slice", "far/made", x, block.shape(0), count)
        if spec.conditioning:
            bias = block.node("Gather", "far/bias", "call/bias/far", "block/row", axis=0)
        else:
            constants = tap_constants(self.weights, residual_offsets(spec, self.weights))
            bias = block.constant("far/constants", constants[far][None, :, None])
        block.node("Add", "block/far", x, bias)

    def _belt(self, block: GraphBuilder) -> str:
        """The near lines, and room for the block."""
        lines, spec = self.lines, self.spec
        rows = block.node(
            "Gather", "belt/first", "block/lines", block.constant("belt/rows", lines.onto_belt)
        )
        room = np.zeros((BLOCK, self.batch, spec.residual_channels), np.float32)
        return block.node("Concat", "block/belt", rows, block.constant("belt/room", room), axis=0)

    def _lines_after(self, block: GraphBuilder, count: str) -> str:
        """The state's lines, the block's samples behind them: see `Lines.kept`."""
        made = ["block/lines"]
        if self.lines.near:
            made.append("belt/after")
        if self.lines.far:
            shape = block.shape(-1, self.batch, self.spec.residual_channels)
            made.append(block.node("Reshape", "lines/far", "block/far_inputs", shape))
        limit, first, stride = (
            block.constant(f"lines/{name}", indices)
            for name, indices in zip(("limit", "first", "stride"), self.lines.kept(), strict=True)
        )
        every = block.constant("lines/every", np.arange(self.spec.state_rows))
        old = block.node("Add", "lines/old", every, count)
        new = block.node("Mul", "lines/further", stride, count)
        new = block.node("Add", "lines/new", first, new)
        is_old = block.node("Less", "lines/is_old", count, limit)
        index = block.node("Where", "lines/index", is_old, old, new)
        joined = block.node("Concat", "lines/joined", *made, axis=0)
        return block.node("Gather", "lines/after", joined, index, axis=0)

    def _outputs(self, block: GraphBuilder, count: str) -> None:
        """What was made, K rows of each; of params none where no sample is known beforehand."""
        head, batch = self.spec.output, self.batch
        missing = block.node("Sub", "pad/missing", block.shape(BLOCK), count)
        kept = block.node("Mul", "pad/kept", count, "call/any_known")
        none = block.node("Mul", "pad/none", missing, "call/any_known")
        block.node("Slice", "pad/params", "block/params", block.shape(0), kept)
        for name, rows, channels, dtype in (
            ("block/samples", missing, 1, head.sample_dtype),
            ("block/finite", missing, 1, _SINGLE),
            ("pad/params", none, head.params, _SINGLE),
        ):
            padded = block.padded(f"{name}/padded", name, rows, (batch, channels), dtype)
            size = BLOCK if rows == missing else "scored"
            block.output(padded, (size, batch, channels), dtype)
