"""All that streams are, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import array, integer, wrong_type
from wn_runtime.conditioning.conditioner import AnyBias, Conditioner
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
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


@dataclass(frozen=True, repr=False)
class Snapshot:
    """Streams as they stand: restored anywhere, the same samples follow."""

    voices: tuple[Voice, ...]
    network: State
    """The engine's memory, in no engine's own layout."""
    conditioner: State
    bias: AnyBias
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
    postprocess: NDArray[np.float64]
    """(B,): the memory of what audio goes through."""

    def save(self, path: str | Path) -> None:
        """Write it to a file of safetensors, whole or not at all. Raises WavestepError."""
        from wn_runtime.synthesis import snapshot_file

        snapshot_file.save(self, path)

    @staticmethod
    def load(path: str | Path) -> Snapshot:
        """What `save` wrote. Raises WavestepError for a file that cannot be read or is none."""
        from wn_runtime.synthesis import snapshot_file

        return snapshot_file.load(path)

    def __repr__(self) -> str:
        made = ", ".join(str(voice.position) for voice in self.voices)
        return f"<Snapshot of {len(self.voices)} voices after {made} samples>"


def voices_of(snapshot: Snapshot) -> tuple[Voice, ...]:
    """Its voices. Raises TypeError where they are none."""
    if not isinstance(snapshot.voices, tuple):
        raise wrong_type("voices of the snapshot", snapshot.voices, "a tuple of Voices")
    for voice in snapshot.voices:
        if not isinstance(voice, Voice):
            raise wrong_type("a voice of the snapshot", voice, "a Voice")
    return snapshot.voices


def check(snapshot: Snapshot, spec: ModelSpec, conditioner: Conditioner) -> None:
    """Raise WavestepError unless all but the network's memory is of this model, and of one piece.

    TypeError for a field of another type.
    """
    streams, timing = len(voices_of(snapshot)), conditioner.timing
    size = integer("size of the snapshot", snapshot.size, 0)
    offset = integer("offset of the snapshot", snapshot.offset, 0, size)
    if not isinstance(snapshot.conditioner, Mapping):
        raise wrong_type("conditioner of the snapshot", snapshot.conditioner, "a mapping")
    fresh = conditioner.start({}, streams)
    for name in sorted(fresh.keys() | snapshot.conditioner.keys()):
        expected = fresh.get(name)
        shape = None if expected is None else expected.shape
        _check_array(f"conditioning ({name})", snapshot.conditioner.get(name), shape)
    if not isinstance(snapshot.frames_ended, bool):
        raise wrong_type("frames_ended of the snapshot", snapshot.frames_ended, "True or False")
    channels = (streams, timing.frame_channels)
    _check_array("frames", snapshot.frames, (_rows("frames", snapshot.frames), *channels))
    _check_array("history", snapshot.history, (_rows("history", snapshot.history), streams))
    _check_history(len(snapshot.history), offset, size, timing)
    spec.output.check(snapshot.history, "history of the snapshot")
    _check_array("postprocess", snapshot.postprocess, (streams,))
    if not spec.conditioning or offset == size:
        if snapshot.bias is not None:
            raise WavestepError("the snapshot has a bias that conditions nothing")
        return
    _check_bias(snapshot.bias, size, (spec.layers, streams, spec.gate_channels))


def _check_history(rows: int, offset: int, size: int, timing: Timing) -> None:
    """What was made of this block so far, or all of the one before; nothing if nothing reads it."""
    possible: tuple[int, ...] = (0,)
    if timing.uses_history:
        possible = (offset,) if offset < size else (0, timing.block)
        if size not in (0, timing.block):
            raise WavestepError(f"the snapshot's block has {size} samples, not {timing.block}")
    if rows not in possible:
        wanted = " or ".join(map(str, dict.fromkeys(possible)))
        raise WavestepError(f"history of the snapshot has {rows} samples, not {wanted}")


def _check_bias(bias: Any, size: int, shape: tuple[int, int, int]) -> None:
    mixed = isinstance(bias, Mixed)
    array = bias.rows if mixed else bias
    rows = 0 if array is None else _rows("bias", array)
    if not rows or size % rows:
        raise WavestepError(f"the snapshot's bias has {rows} rows for {size} samples")
    if not mixed:
        _check_array("bias", array, (rows, *shape))
        return
    parts = array.shape[1] if array.ndim > 1 else 0
    _check_array("bias", array, (rows, max(parts, 1), *shape))
    _check_array("mix", bias.mix, (size, shape[1], parts))


def _rows(what: str, given: Any) -> int:
    """How many it has. Raises TypeError for what is no array."""
    if not isinstance(given, np.ndarray):
        raise wrong_type(f"{what} of the snapshot", given, "an array")
    return len(given) if given.ndim else 0


def _check_array(what: str, given: Any, shape: tuple[int, ...] | None) -> None:
    if given is None or shape is None:
        raise WavestepError(f"the snapshot's {what} is another model's")
    found = array(f"{what} of the snapshot", given)
    if found.shape != shape or not np.isfinite(found).all():
        raise WavestepError(
            f"the snapshot's {what} is another model's: {found.shape}, here {shape}, or no numbers"
        )
