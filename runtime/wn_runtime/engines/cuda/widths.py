"""Channels padded to whole tiles of a matrix product, and the warps that share those out."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.model.spec import ModelSpec

K_TILE = {"int8": 32, "fp16": 16, "fp32": 8}
K_HEAD = {"int8": 16, "fp16": 16, "fp32": 8}
"""Inputs of a tile, of the layers' products and of the head's."""


def even(tiles: int, most: int, spread: bool) -> tuple[int, int]:
    """Warps for so many tiles, at most `most`, and the tiles when each has as many.

    spread: four lanes share out a warp's tiles, so it has one, two or four; there may be more
    warps.
    """
    each = -(-tiles // most)
    if spread:
        each = next((count for count in (1, 2, 4) if count >= each), 4)
    warps = -(-tiles // each)
    return warps, warps * each


def padded(n: int, to: int) -> int:
    """The next multiple."""
    return -(-n // to) * to


@dataclass(frozen=True)
class Widths:
    """Channels padded to whole tiles, and the warps that share them out."""

    residual: int
    z: int
    skip: int
    head: int
    params: int
    gate_warps: int
    residual_warps: int
    skip_warps: int

    @classmethod
    def of(
        cls, spec: ModelSpec, precision: str, most: tuple[int, int, int], spread: bool
    ) -> Widths:
        """`most`: of gate, residual and skip warps. spread: see `even`."""
        k = K_TILE[precision]

        def shared_out(channels: int, tile: int, warps: int, inner: int) -> tuple[int, int]:
            tiles = -(-channels // tile)
            while True:
                count, whole = even(tiles, warps, spread)
                if whole * tile % inner == 0:
                    return count, whole * tile
                tiles += 1

        gate_warps, z = shared_out(spec.gate_channels // 2, 8, most[0], k)
        residual_warps, residual = shared_out(spec.residual_channels, 16, most[1], k)
        inner = 16 if precision == "fp32" else 32  # the head reads two tiles of inputs at a time
        skip_warps, skip = shared_out(spec.skip_channels, 16, most[2], inner)
        return cls(
            residual,
            z,
            skip,
            padded(spec.head_channels, inner),
            padded(spec.output.params, 16),
            gate_warps,
            residual_warps,
            skip_warps,
        )
