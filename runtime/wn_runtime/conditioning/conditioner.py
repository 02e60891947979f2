"""The conditioner of a model: its parts side by side, their biases added up, in NumPy.

A few matrix products a block, so that no engine needs ONNX Runtime for them. What it promises is
the streaming law: blocks of any sizes (multiples of `timing.block`) give the bias of one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State
from wn_runtime.model.weights import Weights

Values = Value | Sequence[Value | None]
"""One value for all streams, or one a stream (None: that stream has none); the tags of one stream
are a set, no list."""
Bias = Rows | None
"""(N, L, B, G): the bias of a block of P samples, each row held for P/N of them; N = 1 is constant.
None: the model has no conditioning."""
AnyBias = Bias | Mixed
"""The same, or what it is mixed from, for who mixes it."""


class Conditioner:
    """From named conditions, frames and history to the gates' bias."""

    def __init__(self, spec: ModelSpec, weights: Weights) -> None:
        self._spec = spec
        self._parts = [
            part.part(spec.layers, spec.gate_channels, weights) for part in spec.conditioning
        ]
        self.timing = Timing.of(spec.conditioning)
        self.silence = spec.output.silence
        """The sample before the first."""
        framed = [part.padding(weights) for part in spec.conditioning if part.frame_channels]
        self.padding = framed[0] if framed else np.zeros(0, np.float32)
        """The frame (C,) that stands where there is none: after the last."""

    def start(self, conditions: Mapping[str, Values], streams: int) -> State:
        """The state of B streams before their first block.

        A condition that is not given adds nothing, as in training when it was dropped. Raises
        WavestepError for an unknown condition or value, or a wrong number of values.
        """
        values = {name: self._each(name, given, streams) for name, given in conditions.items()}
        state: State = {}
        for i, part in enumerate(self._parts):
            for name, array in part.start(values, streams).items():
                state[f"{i}.{name}"] = array
        return state

    @overload
    def block(
        self,
        state: State,
        samples: int,
        frames: Frames | None = None,
        history: NDArray[Any] | None = None,
        mixed: Literal[False] = False,
    ) -> tuple[Bias, State]: ...

    @overload
    def block(
        self,
        state: State,
        samples: int,
        frames: Frames | None,
        history: NDArray[Any] | None,
        mixed: bool,
    ) -> tuple[AnyBias, State]: ...

    def block(
        self,
        state: State,
        samples: int,
        frames: Frames | None = None,
        history: NDArray[Any] | None = None,
        mixed: bool = False,
    ) -> tuple[AnyBias, State]:
        """The bias of the next `samples`, a multiple of `timing.block`, and the next state.

        frames ((samples + lookahead) / hop, B, C): those of the block and beyond. history (P, B):
        the samples of the block before. mixed: whether it may be `Mixed`. Raises WavestepError for
        frames of another shape.
        """
        if not self._parts:
            return None, state
        assert samples % self.timing.block == 0, (samples, self.timing.block)
        if self.timing.frame_channels:
            check_frames(frames, self.timing.frames(samples), self.timing.frame_channels)
        following: State = {}
        total: AnyBias = None
        for i, part in enumerate(self._parts):
            prefix = f"{i}."
            part_state = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
            rows, part_state = part.block(part_state, samples, frames, history)
            for name, array in part_state.items():
                following[prefix + name] = array
            rows = rows if mixed else _dense(rows)
            total = rows if total is None else _sum(total, rows)
        return total, following

    def whole(
        self,
        conditions: Mapping[str, Values],
        streams: int,
        samples: int,
        frames: Frames | None = None,
        history: NDArray[Any] | None = None,
    ) -> Bias:
        """The bias of streams from their first sample on, in one pass.

        frames: those of all samples; where the lookahead goes beyond there is `padding`. history
        (samples, B): what the streams' samples are, for conditioners that read them.
        """
        timing = self.timing
        size = -(-samples // timing.block) * timing.block
        if timing.frame_channels:
            frames = padded_frames(frames, timing.frames(size), self.padding)
        state = self.start(conditions, streams)
        if not timing.uses_history:
            bias, _ = self.block(state, size, frames)
            return cut(bias, size, samples)
        assert history is not None, "this conditioner reads the samples"
        before = np.full((timing.block, streams), self.silence, history.dtype)
        parts = []
        for start in range(0, size, timing.block):
            part = None
            if frames is not None:
                part = frames[start // timing.hop :][: timing.frames(timing.block)]
            rows, state = self.block(state, timing.block, part, before)
            parts.append(rows)
            before = history[start : start + timing.block]
        return cut(np.concatenate([rows for rows in parts if rows is not None]), size, samples)

    def _each(self, name: str, given: Values, streams: int) -> list[Value]:
        condition = self._spec.condition(name)
        if isinstance(given, (str, bytes)) or not isinstance(given, Sequence | np.ndarray):
            each: list[Any] = [given] * streams
        else:
            each = list(given)
        if len(each) != streams:
            tags = "" if condition.kind == "categorical" else "; the tags of one are a set, or a+b"
            raise WavestepError(
                f"{name} has {len(each)} values for {streams} streams; give one for all or "
                f"one a stream{tags}"
            )
        return each


def added(one: Rows, other: Rows) -> Rows:
    """The sum of two biases of one block, each held for its own number of samples."""
    few, many = sorted((one, other), key=len)
    assert len(many) % len(few) == 0, (len(many), len(few))
    each = few if len(few) == 1 else np.repeat(few, len(many) // len(few), axis=0)
    total: Rows = each + many
    return total


def _dense(bias: Rows | Mixed) -> Rows:
    return bias.dense() if isinstance(bias, Mixed) else bias


def _sum(one: Rows | Mixed, other: Rows | Mixed) -> Rows | Mixed:
    """`added`, still mixed where the other is constant."""
    for mixed, held in ((one, other), (other, one)):
        if isinstance(mixed, Mixed) and not isinstance(held, Mixed) and len(held) == 1:
            return mixed.plus(held)
    return added(_dense(one), _dense(other))


def cut(bias: Bias, size: int, samples: int) -> Bias:
    """A bias of `size` samples for the first `samples` of them."""
    if bias is None or len(bias) == 1 or size == samples:
        return bias
    held = size // len(bias)
    if samples % held == 0:
        return bias[: samples // held]
    return np.repeat(bias, held, axis=0)[:samples]


@overload
def pieces(bias: Bias, size: int, start: int, samples: int) -> list[tuple[Bias, int]]: ...


@overload
def pieces(bias: AnyBias, size: int, start: int, samples: int) -> list[tuple[AnyBias, int]]: ...


def pieces(
    bias: AnyBias, size: int, start: int, samples: int
) -> list[tuple[Bias, int]] | list[tuple[AnyBias, int]]:
    """A bias of a block of `size` samples as engines take it for `samples` of them from `start` on.

    Each piece is whole rows, or part of one row: (rows, samples). Of what rows are mixed from it is
    whole frames, or part of one.
    """
    rows = bias.rows if isinstance(bias, Mixed) else bias
    if rows is None or (len(rows) == 1 and rows is bias):
        return [(bias, samples)] if samples else []
    held = size // len(rows)
    found: list[tuple[AnyBias, int]] = []
    while samples:
        row, inside = divmod(start, held)
        full = 0 if inside else samples // held
        count = full * held or min(samples, held - inside)
        of = slice(row, row + max(full, 1))
        piece = bias.piece(of, start, count) if isinstance(bias, Mixed) else rows[of]
        found.append((piece, count))
        start, samples = start + count, samples - count
    return found


def padded_frames(
    frames: Frames | None, count: int, padding: NDArray[np.float32] | float = 0
) -> Frames:
    """The first `count` frames; where there are fewer, `padding` (C,) stands for the others.

    Raises WavestepError without any.
    """
    if frames is None:
        raise WavestepError("this model takes frames; give them")
    padded = np.empty((count, *frames.shape[1:]), np.float32)
    padded[: len(frames)] = frames[:count]
    padded[len(frames) :] = padding
    return padded


def check_frames(frames: Frames | None, count: int, channels: int) -> None:
    """Raise WavestepError unless these are `count` frames of so many channels.

    That they are finite is seen to where they come in: a stream's blocks are too short for it.
    """
    if frames is None:
        raise WavestepError("this model takes frames; give them")
    if frames.ndim != 3 or len(frames) < count or frames.shape[2] != channels:
        raise WavestepError(
            f"frames are {frames.shape}; this block takes ({count}, streams, {channels})"
        )
