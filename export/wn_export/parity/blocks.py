"""An engine on clips of any length, block by block: no more memory than a block takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.expected import Clip
from wn_runtime.conditioning.conditioner import Bias, Conditioner, pieces
from wn_runtime.engines.engine import Engine
from wn_runtime.heads.head import Samples

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
        own = self._conditioned(clips, size)
        constant = own[0] is None or len(own[0]) == 1
        same = _side_by_side(own) if constant else None
        most = max(1, BLOCK // self.batch)
        for block in range(0, size, most):
            start, length = block, min(most, size - block)
            if constant:
                yield start, same, length
                continue
            for piece in zip(*(pieces(bias, size, start, length) for bias in own), strict=True):
                yield start, _side_by_side([rows for rows, _ in piece]), piece[0][1]
                start += piece[0][1]

    def _conditioned(self, clips: Sequence[Clip], size: int) -> list[Bias]:
        """The bias of each stream; one for all that are of the same clip."""
        made: dict[int, Bias] = {}
        for clip in clips:
            if id(clip) not in made:
                history = np.full((size, 1), self._head.silence, self._head.sample_dtype)
                history[: len(clip.samples), 0] = clip.samples
                made[id(clip)] = self._conditioner.whole(
                    dict(clip.conditions), 1, size, clip.frames, history
                )
        own = [made[id(clip)] for clip in clips]
        return own + [own[0]] * (self.batch - len(own))


def _side_by_side(each: Sequence[Bias]) -> Bias:
    """The bias (N, L, B, G) of streams of one bias each; None where they have none."""
    given = [bias for bias in each if bias is not None]
    return np.concatenate(given, axis=2) if given else None
