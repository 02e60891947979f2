"""An engine on clips of any length, block by block: no more memory than a block takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.expected import Clip, Conditions
from wn_runtime.conditioning.conditioner import Bias, Conditioner, padded_frames
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.engine import Engine
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.conditioned import ConditionedBlocks

BLOCK = 1000
"""Samples of one call, all streams together, at most."""


class Blocks:
    """Calls an engine from silence on, its state going on from block to block."""

    def __init__(
        self,
        engine: Engine,
        conditioner: Conditioner,
        advance: Callable[[int], object] = lambda _steps: None,
    ) -> None:
        """advance: told of the steps of every call."""
        self.engine, self.batch = engine, engine.batch
        self._head = engine.spec.output
        self._conditioner, self._advance = conditioner, advance

    def score(self, clips: Sequence[Clip]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Where each block begins, and its params (n, B, A): of the first streams a clip each.

        Where a clip is over its stream goes on with silence, as do streams without a clip.
        """
        size, head = max(len(clip.samples) for clip in clips), self._head
        for start, bias, count in self._calls(clips, size):
            block = np.full((count, self.batch), head.silence, head.sample_dtype)
            for stream, clip in enumerate(clips):
                known = clip.samples[start : start + count]
                block[: len(known), stream] = known
            yield start, self.engine.score(block, bias)
            self._advance(count)

    def generate(self, drawn: NDArray[np.int32], clip: Clip) -> Iterator[tuple[int, Samples]]:
        """Where each block begins, and its samples (n, B), of streams that are all as `clip` is.

        drawn (T, 1, U): the uniforms of each of them.
        """
        for start, bias, count in self._calls([clip], len(clip.samples)):
            block = np.repeat(drawn[start : start + count], self.batch, axis=1)
            yield start, self.engine.generate(bias, block)
            self._advance(count)

    def _calls(self, clips: Sequence[Clip], size: int) -> Iterator[tuple[int, Bias, int]]:
        """(start, bias, samples) of each call of a run over `size` samples.

        Streams without a clip are conditioned as the first.
        """
        self.engine.reset()
        spec, head = self.engine.spec, self._head
        own = {id(clip): clip for clip in clips}
        blocks = {
            key: conditioned(self._conditioner, spec, clip.conditions, clip.frames, size)
            for key, clip in own.items()
        }
        streams = [id(clip) for clip in clips]
        streams += streams[:1] * (self.batch - len(streams))
        most, start = max(1, BLOCK // self.batch), 0
        while start < size:
            wanted = min(most, size - start)
            pieces = {key: each.next(wanted) for key, each in blocks.items()}
            count = pieces[streams[0]][1]  # of all: they are one model's
            yield start, _side_by_side([pieces[key][0] for key in streams]), count
            for key, each in blocks.items():
                made = np.full((count, 1), head.silence, head.sample_dtype)
                known = own[key].samples[start : start + count]
                made[: len(known), 0] = known
                each.advance(made)
            start += count


def conditioned(
    conditioner: Conditioner,
    spec: ModelSpec,
    conditions: Conditions,
    frames: Frames | None,
    size: int,
) -> ConditionedBlocks:
    """What conditions one stream of `size` samples, block by block.

    Raises WavestepError for frames that are missing or of another width.
    """
    blocks = ConditionedBlocks(conditioner, spec, 1)
    blocks.reset(None, dict(conditions))
    timing = blocks.timing
    if timing.frame_channels:
        whole = -(-size // timing.block) * timing.block
        blocks.push(padded_frames(frames, timing.frames(whole), conditioner.padding), last=False)
    return blocks


def _side_by_side(each: Sequence[Bias]) -> Bias:
    """The bias (N, L, B, G) of streams of one bias each; None where they have none."""
    given = [bias for bias in each if bias is not None]
    if len(given) < 2:
        return given[0] if given else None
    return np.concatenate(given, axis=2)
