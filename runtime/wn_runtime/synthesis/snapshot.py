"""All that streams are, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.conditioning.part import Frames
from wn_runtime.heads.head import Samples
from wn_runtime.model.state import State


@dataclass(frozen=True)
class Voice:
    """One stream of a batch, apart from its memory."""

    seed: int
    number: int
    """Which stream of the seed it is; together they are its randomness."""
    temperature: float
    position: int = 0
    """Samples made so far."""


@dataclass(frozen=True)
class Snapshot:
    """Streams as they stand: restored anywhere, the same samples follow."""

    voices: tuple[Voice, ...]
    network: State
    """The engine's memory, in no engine's own layout."""
    conditioner: State
    bias: Bias
    """Of the conditioner's current block; None between blocks."""
    offset: int
    """Samples of that block that have been made, and …"""
    size: int
    """… that it has."""
    frames: Frames
    """Those that were pushed and are not used up, (F, B, C)."""
    frames_ended: bool
    """Whether the last have been pushed."""
    history: Samples
    """(n, B): those made of the current block, where the conditioner reads them."""
