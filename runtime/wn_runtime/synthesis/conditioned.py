"""What conditions the next samples of a stream: conditioner blocks, cut as an engine takes them.

frames pushed   ████████████████░░░░ lookahead
conditioner     [ block         ][ block         ]
engine calls    [    ][    ][ ][     ][ …            never over a block's end, or within a
                                                     row of bias and beyond
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray

from wn_runtime import arguments
from wn_runtime.conditioning.conditioner import (
    AnyBias,
    Bias,
    Conditioner,
    Values,
    padded_frames,
    pieces,
)
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.engine import of_streams
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model import state as states
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State
from wn_runtime.synthesis.snapshot import Snapshot, Voice, check

MOST_BYTES = 2**22
"""Of the rows made at a time, where a block has fewer: what a cache holds until they are read."""


class ConditionedBlocks:
    """The bias of a stream's samples, as they come; B voices in step."""

    def __init__(self, conditioner: Conditioner, spec: ModelSpec, streams: int) -> None:
        self._conditioner, self._spec, self._streams = conditioner, spec, streams
        self.timing = conditioner.timing
        self._most_blocks = _most_blocks(spec, self.timing, streams)
        self._state: State
        self._bias: AnyBias
        self._offset: int
        self._size: int
        self._frames: Frames
        self._ended: bool
        self._made: Samples
        self.reset(None, {})

    @overload
    def next(self, most: int, mixed: Literal[False] = False) -> tuple[Bias, int]: ...

    @overload
    def next(self, most: int, mixed: bool) -> tuple[AnyBias, int]: ...

    def next(self, most: int, mixed: bool = False) -> tuple[AnyBias, int]:
        """The bias of the next samples, and how many of them: at most `most`.

        mixed: whether it may be `Mixed`. Raises WavestepError where frames are missing.
        """
        if self._offset == self._size:
            self._begin_block(most, mixed)
        count = min(most, self._size - self._offset)
        bias, count = pieces(self._bias, self._size, self._offset, count)[0]
        if isinstance(bias, Mixed) and not mixed:  # restored from a stream whose engine mixes
            bias = bias.dense()
        return bias, count

    @property
    def available(self) -> int | None:
        """Samples that the frames pushed so far suffice for; None: it takes none."""
        if not self.timing.frame_channels:
            return None
        return self._size - self._offset + self._suffices()

    def advance(self, made: Samples) -> None:
        """These samples (n, B) have been made."""
        self._offset += len(made)
        if self.timing.uses_history:
            self._made = np.concatenate([self._made, made])

    def push(self, frames: Frames, last: bool) -> None:
        """Append frames, (F, C) or (F, B, C)."""
        channels = self.timing.frame_channels
        if not channels:
            raise WavestepError("this model takes no frames")
        array = arguments.array("frames", frames)
        if array.shape[1:] not in ((channels,), (self._streams, channels)):
            raise WavestepError(
                f"frames are {array.dtype} {array.shape}; this model takes float32 (frames, "
                f"{channels}), or (frames, {self._streams}, {channels})"
            )
        if array.ndim == 2:
            array = np.repeat(array[:, None], self._streams, axis=1)
        with np.errstate(over="ignore"):  # then it is infinite
            array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise WavestepError("frames hold NaN or infinity")
        if self._ended:
            raise WavestepError("the last frames have been pushed; begin the stream anew")
        self._frames = np.concatenate([self._frames, array])
        if last:
            self._ended = True
            whole = -(-len(self._frames) * self.timing.hop // self.timing.block) * self.timing.block
            count = self.timing.frames(whole)
            self._frames = padded_frames(self._frames, count, self._conditioner.padding)

    def reset(self, slots: Sequence[int] | None, conditions: Mapping[str, Values]) -> None:
        """Begin anew with these conditions: all voices, or those in the slots named."""
        if slots is None:
            self._state = self._conditioner.start(conditions, self._streams)
            self._bias = None
            self._offset = self._size = 0
            shape = (0, self._streams, self.timing.frame_channels)
            self._frames = np.zeros(shape, np.float32)
            self._ended = False
            self._made = np.zeros((0, self._streams), self._spec.output.sample_dtype)
            return
        self._check_between_blocks()
        started = self._conditioner.start(conditions, len(slots))
        self._state = states.put(self._state, slots, started)
        self._size = self._offset = 0
        if len(self._made):
            self._made[:, list(slots)] = self._spec.output.silence

    def snapshot(
        self,
        slots: Sequence[int],
        voices: tuple[Voice, ...],
        network: State,
        postprocess: NDArray[np.float64],
    ) -> Snapshot:
        """The voices in those slots."""
        chosen = list(slots)
        bias = self._bias if self._offset < self._size else None
        return Snapshot(
            voices=voices,
            network=network,
            conditioner=states.take(self._state, chosen),
            bias=of_streams(bias, chosen),
            offset=self._offset,
            size=self._size,
            frames=self._frames[:, chosen].copy(),
            frames_ended=self._ended,
            history=self._made[:, chosen].copy(),
            postprocess=postprocess.copy(),
        )

    def restore(self, slots: Sequence[int] | None, snapshot: Snapshot) -> None:
        """Take over what `snapshot` gave.

        Raises WavestepError where it is another model's, or of no whole; nothing changes then.
        """
        check(snapshot, self._spec, self._conditioner)
        if slots is None:
            self._state = dict(snapshot.conditioner)
            self._bias, self._offset, self._size = snapshot.bias, snapshot.offset, snapshot.size
            self._frames, self._ended = snapshot.frames, snapshot.frames_ended
            self._made = snapshot.history.copy()
            return
        self._check_between_blocks()
        if self.timing.block > 1 and snapshot.offset < snapshot.size:
            raise WavestepError("the snapshot was taken inside a block of its conditioner")
        if len(snapshot.frames) != len(self._frames) or snapshot.frames_ended != self._ended:
            raise WavestepError(
                f"the snapshot has {len(snapshot.frames)} frames left, the other voices "
                f"{len(self._frames)}; voices in step have as many"
            )
        self._state = states.put(self._state, slots, snapshot.conditioner)
        self._frames = self._frames.copy()
        self._frames[:, list(slots)] = snapshot.frames
        self._size = self._offset = 0
        rows = max(len(self._made), len(snapshot.history))
        self._made = self._padded_history(self._made, rows)
        self._made[:, list(slots)] = self._padded_history(snapshot.history, rows)

    def _padded_history(self, made: Samples, rows: int) -> Samples:
        """A copy of `rows` samples; what was before the first is silence."""
        silence = np.full((rows - len(made), made.shape[1]), self._spec.output.silence, made.dtype)
        return np.concatenate([silence, made])

    def _begin_block(self, wanted: int, mixed: bool) -> None:
        timing = self.timing
        size = self._block_size(wanted)
        frames = None
        if timing.frame_channels:
            there, block = self._suffices(), timing.block
            if there < block:
                if self._ended:
                    raise WavestepError(
                        f"the last frames have been pushed, and reach for {there} more samples, "
                        f"not for the next {block}; read that many, or begin the stream anew"
                    )
                missing = timing.frames(block) - len(self._frames)
                raise WavestepError(
                    f"{missing} more frames are needed for the next {block} samples; push them"
                )
            size = min(size, there)
            frames = self._frames[: timing.frames(size)]
        history = None
        if timing.uses_history:
            size = timing.block
            silence = self._spec.output.silence
            history = np.full((size, self._streams), silence, self._made.dtype)
            if len(self._made):
                history = self._made[-size:]
        self._bias, self._state = self._conditioner.block(self._state, size, frames, history, mixed)
        if frames is not None:
            self._frames = self._frames[size // timing.hop :]
        self._made = self._made[:0]
        self._offset, self._size = 0, size

    def _suffices(self) -> int:
        """Samples of the whole blocks that the frames not used up yet condition."""
        ahead = len(self._frames) * self.timing.hop - self.timing.lookahead
        return max(0, ahead) // self.timing.block * self.timing.block

    def _block_size(self, wanted: int) -> int:
        """The smallest whole number of blocks that has so many samples, as far as rows are few."""
        block = self.timing.block
        return min(-(-wanted // block), self._most_blocks) * block

    def _check_between_blocks(self) -> None:
        inside = self._size - self._offset
        if inside and self.timing.block > 1:
            raise WavestepError(
                f"slots can change between blocks of the conditioner only: in {inside} samples"
            )


def _most_blocks(spec: ModelSpec, timing: Timing, streams: int) -> int:
    """Blocks to condition at a time, 1 at least."""
    holds = [part.hold for part in spec.conditioning if part.hold]
    rows = timing.block // min(holds) if holds else 0
    size = 4 * rows * streams * spec.layers * spec.gate_channels
    return max(1, MOST_BYTES // size) if size else 2**31
