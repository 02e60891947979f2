"""One engine held against what PyTorch made of the same inputs.

Three levels: params and likelihood, teacher-forced over the reference's clips; and samples,
free-running with the same uniforms. NumPy and the runtime only: it runs on the device.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.blocks import Blocks
from wn_export.parity.expected import Reference
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model.manifest import ParityRow
from wn_runtime.synthesis.uniforms import uniforms

PARAMS_TOLERANCE = 1e-4
"""float32: max |delta params| over max |params|."""
BITS_TOLERANCE = 0.01
"""Lower precisions: bits per sample, more or fewer; fewer are as much another model."""


@dataclass(frozen=True)
class Comparison:
    """A parity row and what it was made from."""

    row: ParityRow
    bits: tuple[float | None, ...]
    """Bits per sample of each clip; None: not a number."""
    errors: NDArray[np.float32]
    """max |delta params| over max |params| at every step the reference keeps, clip by clip."""
    samples: Samples
    """(T,) free-running; none where nothing could be drawn."""
    within_float_error: bool
    """A first difference at a draw so close that the rounding of float32 decides it."""
    fault: str | None = None
    """What the engine said where it could not go on."""


@dataclass(frozen=True)
class _Scored:
    bits: list[NDArray[np.float32]]
    """Of each clip: of each sample."""
    errors: NDArray[np.float32]
    """max |delta params| of each step that is kept."""
    mean: float
    """mean |delta params| over those; NaN where any params, kept or not, are not numbers."""


@dataclass(frozen=True)
class _Free:
    samples: Samples
    first: int | None = None
    margin: float | None = None


def compare(
    engine: Engine,
    reference: Reference,
    conditioner: Conditioner,
    advance: Callable[[int], object] = lambda _steps: None,
) -> Comparison:
    """Hold one engine, of any batch, against the reference. Moves its state.

    `advance` is told of every few steps made; they add up to `steps_of`. An engine that raises
    WavestepError on the way, or gives what are not numbers, is a row that has not passed.
    """
    blocks, nothing = Blocks(engine, conditioner, advance), reference.free.clip.samples[:0]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            scored = _score(blocks, reference)
            worst, bits = float(scored.errors.max()), _mean(np.concatenate(scored.bits))
            if not math.isfinite(worst + bits + scored.mean):
                return _compared(engine, reference, scored, None, "its params are not numbers")
            return _compared(engine, reference, scored, _free_run(blocks, reference), None)
        except WavestepError as error:
            scored = _Scored([nothing.astype(np.float32)], np.full(1, np.nan, np.float32), math.nan)
            return _compared(engine, reference, scored, None, str(error))


def steps_of(reference: Reference, batch: int) -> int:
    """The steps that `compare` makes with an engine of `batch` streams, but for a difference."""
    lengths = [len(clip.samples) for clip in reference.clips]
    scored = sum(max(lengths[i : i + batch]) for i in range(0, len(lengths), batch))
    return scored + len(reference.free.clip.samples)


def _compared(
    engine: Engine, reference: Reference, scored: _Scored, free: _Free | None, fault: str | None
) -> Comparison:
    """The row. Nothing that is not a number goes into it, or passes."""
    head, largest = engine.spec.output, reference.largest
    worst = float(scored.errors.max())
    bits = [_mean(each) for each in scored.bits]
    delta_bits = _mean(np.concatenate(scored.bits)) - reference.bits
    first = None if free is None else free.first
    margin = None if free is None else free.margin
    close = margin is not None and margin <= head.float_error(worst)
    if engine.precision == "fp32":
        passed = worst <= PARAMS_TOLERANCE * largest and (first is None or close)
    else:
        passed = abs(delta_bits) <= BITS_TOLERANCE
    samples = reference.free.clip.samples[:0] if free is None else free.samples
    row = ParityRow(
        engine=engine.name,
        precision=engine.precision,
        max_error=_number(worst / largest),
        mean_error=_number(scored.mean / largest),
        delta_bits=_number(delta_bits),
        samples_compared=len(samples) * engine.batch,
        first_difference=first,
        margin=_number(margin),
        passed=bool(passed and free is not None),
    )
    errors = scored.errors / np.float32(largest)
    return Comparison(row, tuple(map(_number, bits)), errors, samples, close, fault)


def _score(blocks: Blocks, reference: Reference) -> _Scored:
    """Every clip teacher-forced, `engine.batch` clips at a time."""
    head, clips, batch = blocks.engine.spec.output, reference.clips, blocks.batch
    bits: list[list[NDArray[np.float32]]] = [[] for _ in clips]
    errors: list[list[NDArray[np.float32]]] = [[] for _ in clips]
    total = 0.0
    for begin in range(0, len(clips), batch):
        group = clips[begin : begin + batch]
        for start, params in blocks.score(group):  # (n, B, A)
            for stream, clip in enumerate(group):
                known = clip.samples[start : start + len(params)]
                if not len(known):
                    continue
                own = params[: len(known), stream]
                expected = reference.predictions[begin + stream]
                low, high = np.searchsorted(expected.steps, (start, start + len(known)))
                delta = np.abs(own[expected.steps[low:high] - start] - expected.params[low:high])
                bits[begin + stream].append(head.bits(own, known))
                errors[begin + stream].append(delta.max(axis=1, initial=0))
                total += float(delta.sum(dtype=np.float64))
                total += 0 if np.isfinite(own).all() else math.nan
    every = np.concatenate([part for parts in errors for part in parts])
    return _Scored(
        [np.concatenate(parts) for parts in bits],
        every,
        total / (len(every) * head.params),
    )


def _free_run(blocks: Blocks, reference: Reference) -> _Free:
    """Samples (T,) of the first stream; the first that differs in any, and the margin there."""
    clip, head = reference.free.clip, blocks.engine.spec.output
    one = uniforms(reference.free.seed, 1, len(clip.samples), head.uniforms)  # (T, 1, U)
    parts, first, where = [], None, (0, 0)
    for start, samples in blocks.generate(one, clip):
        differs = samples != clip.samples[start : start + len(samples), None]
        if first is None and differs.any():
            row, stream = np.argwhere(differs)[0]
            first, where = start + int(row), (int(stream), samples[row, stream])
        parts.append(samples[:, 0])
    if first is None:
        return _Free(np.concatenate(parts))
    stream, drawn = where
    known = dataclasses.replace(clip, samples=clip.samples[: first + 1])
    newest = np.zeros(head.params, np.float32)
    for _, params in blocks.score([known] * (stream + 1)):
        newest = params[-1, stream]
    margin = head.margin(newest, one[first, 0], drawn, clip.samples[first])
    return _Free(np.concatenate(parts), first, margin)


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else math.nan


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
