"""One engine held against what PyTorch made of the same inputs.

Three levels: params and likelihood, teacher-forced over the reference's clips; and samples,
free-running with the same uniforms. NumPy and the runtime only: it runs on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.reference import Clip, Reference
from wn_runtime.conditioning.conditioner import Bias, Conditioner, pieces
from wn_runtime.engines.engine import Engine
from wn_runtime.heads.head import Samples
from wn_runtime.model.manifest import ParityRow
from wn_runtime.synthesis.uniforms import uniforms

PARAMS_TOLERANCE = 1e-4
"""float32: max |delta params| over max |params|."""
BITS_TOLERANCE = 0.01
"""Lower precisions: bits per sample, more or fewer; fewer are as much another model."""
BLOCK = 1000
"""Samples of one call, at most."""


@dataclass(frozen=True)
class Comparison:
    """A parity row and what it was made from."""

    row: ParityRow
    bits: tuple[float, ...]
    """Bits per sample of each clip."""
    errors: NDArray[np.float32]
    """max |delta params| over max |params| at every step the reference keeps, clip by clip."""
    samples: Samples
    """(T,) free-running."""
    within_float_error: bool
    """A first difference at a draw so close that the rounding of float32 decides it."""


def compare(
    engine: Engine,
    reference: Reference,
    conditioner: Conditioner,
    advance: Callable[[int], object] = lambda _steps: None,
) -> Comparison:
    """Hold one engine, of any batch, against the reference. Moves its state.

    `advance` is told of every few steps made; they add up to `steps_of`.
    """
    head, blocks = engine.spec.output, _InBlocks(engine, conditioner, advance)
    errors, bits = [], []
    references = zip(reference.clips, reference.predictions, strict=True)
    for (clip, expected), params in zip(references, _scored(blocks, reference), strict=True):
        errors.append(np.abs(params[expected.steps] - expected.params))
        bits.append(head.bits(params, clip.samples))
    every = np.concatenate(errors)  # (K, A)
    worst, mean = float(every.max()), float(every.mean())
    delta_bits = float(np.mean(np.concatenate(bits), dtype=np.float64)) - reference.bits

    if np.isfinite(worst):
        samples, first, margin = _free_run(blocks, reference)
    else:  # nothing can be drawn from what are not numbers
        samples, first, margin = reference.free.clip.samples[:0, None], None, None
    close = margin is not None and margin <= head.float_error(worst)
    if engine.precision == "fp32":
        passed = worst <= PARAMS_TOLERANCE * reference.largest and (first is None or close)
    else:
        passed = abs(delta_bits) <= BITS_TOLERANCE
    row = ParityRow(
        engine=engine.name,
        precision=engine.precision,
        max_error=worst / reference.largest,
        mean_error=mean / reference.largest,
        delta_bits=delta_bits,
        samples_compared=samples.size,
        first_difference=first,
        margin=margin,
        passed=bool(passed and np.isfinite([worst, delta_bits]).all()),
    )
    return Comparison(
        row,
        tuple(float(each.mean()) for each in bits),
        every.max(axis=1) / np.float32(reference.largest),
        samples[:, 0],
        close,
    )


def steps_of(reference: Reference, batch: int) -> int:
    """The steps that `compare` makes with an engine of `batch` streams, but for a difference."""
    lengths = [len(clip.samples) for clip in reference.clips]
    scored = sum(max(lengths[i : i + batch]) for i in range(0, len(lengths), batch))
    return scored + len(reference.free.clip.samples)


class _InBlocks:
    """An engine that says how far it is: calls are cut into blocks, its state goes on."""

    def __init__(
        self, engine: Engine, conditioner: Conditioner, advance: Callable[[int], object]
    ) -> None:
        self.engine, self.batch = engine, engine.batch
        self._conditioner, self._advance = conditioner, advance

    def score(self, samples: Samples, clips: list[Clip]) -> NDArray[np.float32]:
        """Params (T, B, A) of samples (T, B) from silence, stream b conditioned as clip b."""
        self.engine.reset()
        parts = []
        for start, bias, count in self._blocks(samples, clips):
            parts.append(self.engine.score(samples[start : start + count], bias))
            self._advance(count)
        return np.concatenate(parts)

    def generate(self, drawn: NDArray[np.int32], clip: Clip) -> Samples:
        """Samples (T, B) of streams that are all the same, as `clip` is."""
        known = np.repeat(clip.samples[:, None], self.batch, axis=1)
        self.engine.reset()
        parts = []
        for start, bias, count in self._blocks(known, [clip] * self.batch):
            parts.append(self.engine.generate(bias, drawn[start : start + count]))
            self._advance(count)
        return np.concatenate(parts)

    def _blocks(self, samples: Samples, clips: list[Clip]) -> Iterator[tuple[int, Bias, int]]:
        """(start, bias, samples) of each call. Conditioners that read the samples read these."""
        each = [
            self._conditioner.whole(
                dict(clip.conditions), 1, len(samples), clip.frames, samples[:, stream : stream + 1]
            )
            for stream, clip in enumerate(clips)
        ]
        given = [bias for bias in each if bias is not None]
        bias = np.concatenate(given, axis=2) if given else None
        for block in range(0, len(samples), BLOCK):
            start = block
            for part, count in pieces(bias, len(samples), block, min(BLOCK, len(samples) - block)):
                yield start, part, count
                start += count


def _scored(engine: _InBlocks, reference: Reference) -> Iterator[NDArray[np.float32]]:
    """Params (T, A) of every clip, `engine.batch` clips at a time."""
    head = engine.engine.spec.output
    for first in range(0, len(reference.clips), engine.batch):
        group = list(reference.clips[first : first + engine.batch])
        steps = max(len(clip.samples) for clip in group)
        samples = np.full((steps, engine.batch), head.silence, head.sample_dtype)
        for stream, clip in enumerate(group):
            samples[: len(clip.samples), stream] = clip.samples
        filled = group + [group[0]] * (engine.batch - len(group))
        params = engine.score(samples, filled)  # (T, B, A)
        for stream, clip in enumerate(group):
            yield params[: len(clip.samples), stream]


def _free_run(engine: _InBlocks, reference: Reference) -> tuple[Samples, int | None, float | None]:
    """Samples (T, B), the first index that differs in any stream, and the draw's margin there."""
    clip, head = reference.free.clip, engine.engine.spec.output
    one = uniforms(reference.free.seed, 1, len(clip.samples), head.uniforms)  # (T, 1, U)
    samples = engine.generate(np.repeat(one, engine.batch, axis=1), clip)
    differs = samples != clip.samples[:, None]
    if not differs.any():
        return samples, None, None
    first, stream = np.argwhere(differs)[0]
    known = np.repeat(clip.samples[: first + 1, None], engine.batch, axis=1)
    params = engine.score(known, [clip] * engine.batch)[first, stream]
    margin = head.margin(params, one[first, 0], samples[first, stream], clip.samples[first])
    return samples, int(first), margin
