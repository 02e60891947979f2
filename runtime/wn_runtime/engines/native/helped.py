"""Which older taps helpers make, for predictions: as sizes.h, team.h and shares.h have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # wn-doctor reads the kinds where NumPy cannot be imported
    from wn_runtime.model.work import Work

CHAIN_TIME = 1.3
"""Of a weight the chain takes so many times as long as the rest: it waits for itself."""
_WIDE = 1 << 20
_SMALL = 48


def tap_steps(work: Work, precision: str) -> int:
    """The most steps of one stream whose older taps are computed together."""
    if precision != "int8":
        return 8
    if work.residual < _SMALL:
        return 1
    return 16 if work.older > _WIDE else 8


def shares_taps(work: Work) -> bool:
    """Whether each thread has an equal share of the next step's: where skip sums are few."""
    return bool(work.older) and 2 * _skip(work) <= _chain(work)


def left_layers(work: Work, precision: str, helpers: int) -> int:
    """Else of how many layers helpers make them, while they would wait for the chain."""
    steps = tap_steps(work, precision)
    if not helpers or not work.older or steps == 1 or shares_taps(work):
        return 0
    far = sum(dilation >= 2 * steps for dilation in work.dilations)
    room = work.layers * (CHAIN_TIME * _chain(work) * helpers - _skip(work))
    each = work.older / (work.layers * work.residual * work.gate) * _residual(work) * 2 * _z(work)
    return min(far, max(0, int(room / each)))


# Products of a layer, of widths padded to 16.


def _padded(n: int) -> int:
    return (n + 15) // 16 * 16


def _residual(work: Work) -> int:
    return _padded(work.residual)


def _z(work: Work) -> int:
    return _padded(work.gate // 2)


def _chain(work: Work) -> int:
    """What the next layer waits for."""
    return _residual(work) * 3 * _z(work)


def _skip(work: Work) -> int:
    return _z(work) * _padded(work.skip // (work.layers * (work.gate // 2)))
