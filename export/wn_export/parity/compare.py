"""Every engine and precision that is here, held against what PyTorch answered.

Three levels: logits and likelihood, teacher-forced over the reference's excerpts; and samples,
free-running with the same uniforms. NumPy and the runtime only: it runs on the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.reference import Excerpt, Reference, surprise
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.engine import Bias
from wn_runtime.model.manifest import ParityRow
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.sampling import Uniforms

LOGIT_TOLERANCE = 1e-4
"""float32: max |delta logit| over max |logit|."""
BITS_TOLERANCE = 0.01
"""Lower precisions: bits per sample, more or fewer; fewer are as much another model."""
BLOCK = 1000
"""Steps of one call: constant conditioning, so that blocks change nothing."""


@dataclass(frozen=True)
class Comparison:
    """A parity row and what it was made from."""

    row: ParityRow
    bits: tuple[float, ...]
    """Bits per sample of each excerpt."""
    errors: NDArray[np.float32]
    """max |delta logit| over max |logit| at every step the reference keeps, excerpt by excerpt."""
    samples: NDArray[np.int32]
    """(T,) free-running."""
    within_float_error: bool
    """A first difference at a draw so close that the rounding of float32 decides it."""


def compare(
    engine: Comparable,
    reference: Reference,
    conditioner: Conditioner,
    advance: Callable[[int], object] = lambda steps: None,
) -> Comparison:
    """Hold one engine, of any batch, against the reference. Moves its state.

    `advance` hears of every few steps made; they add up to `steps_of`.
    """
    blocks = _InBlocks(engine, advance)
    largest = reference.largest_logit
    errors, bits = [], []
    pairs = zip(reference.excerpts, reference.answers, strict=True)
    for (excerpt, answer), logits in zip(
        pairs, _scored(blocks, reference, conditioner), strict=True
    ):
        errors.append(np.abs(logits[answer.steps] - answer.logits))
        bits.append(surprise(logits, excerpt.codes))
    every = np.concatenate(errors)  # (K, A)
    worst, mean = float(every.max()), float(every.mean())
    delta_bits = float(np.mean(np.concatenate(bits), dtype=np.float64)) - reference.bits

    samples, first, margin = _free_run(blocks, reference, conditioner)
    # The cumulative sum of A float32 terms rounds too.
    rounding = 2 * worst + engine.spec.classes * 2.0**-24
    close = margin is not None and margin <= rounding
    if engine.precision == "fp32":
        passed = worst <= LOGIT_TOLERANCE * largest and (first is None or close)
    else:
        passed = abs(delta_bits) <= BITS_TOLERANCE
    row = ParityRow(
        engine=engine.name,
        precision=engine.precision,
        max_logit_error=worst / largest,
        mean_logit_error=mean / largest,
        delta_bits=delta_bits,
        samples_compared=samples.size,
        first_difference=first,
        margin=margin,
        passed=bool(passed and np.isfinite([worst, delta_bits]).all()),
    )
    return Comparison(
        row,
        tuple(float(each.mean()) for each in bits),
        every.max(axis=1) / np.float32(largest),
        samples[:, 0],
        close,
    )


def steps_of(reference: Reference, batch: int) -> int:
    """The steps that `compare` makes with an engine of `batch` streams, but for a difference."""
    lengths = [len(excerpt.codes) for excerpt in reference.excerpts]
    scored = sum(max(lengths[i : i + batch]) for i in range(0, len(lengths), batch))
    return scored + len(reference.free.samples)


class Comparable(Protocol):
    """What parity needs of an engine; the members are those of `Engine`."""

    name: str
    precision: str
    spec: ModelSpec
    batch: int

    def generate(self, bias: Bias, uniforms: NDArray[np.float32]) -> NDArray[np.int32]: ...
    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]: ...
    def reset(self) -> None: ...


class _InBlocks:
    """An engine that says how far it is: calls are cut into blocks, its state goes on."""

    def __init__(self, engine: Comparable, advance: Callable[[int], object]) -> None:
        self._engine, self._advance = engine, advance
        self.name, self.precision = engine.name, engine.precision
        self.spec, self.batch = engine.spec, engine.batch
        self.reset = engine.reset

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        return self._blocks(samples, lambda block: self._engine.score(block, bias))

    def generate(self, bias: Bias, uniforms: NDArray[np.float32]) -> NDArray[np.int32]:
        return self._blocks(uniforms, lambda block: self._engine.generate(bias, block))

    def _blocks(self, inputs: NDArray[Any], call: Callable[[Any], NDArray[Any]]) -> NDArray[Any]:
        outputs = []
        for start in range(0, len(inputs), BLOCK):
            outputs.append(call(inputs[start : start + BLOCK]))
            self._advance(len(outputs[-1]))
        return np.concatenate(outputs)


def _scored(
    engine: _InBlocks, reference: Reference, conditioner: Conditioner
) -> Iterator[NDArray[np.float32]]:
    """Logits (T, A) of every excerpt, `engine.batch` excerpts at a time."""
    for first in range(0, len(reference.excerpts), engine.batch):
        group = list(reference.excerpts[first : first + engine.batch])
        steps = max(len(excerpt.codes) for excerpt in group)
        samples = np.full((steps, engine.batch), engine.spec.silence, np.int32)
        for stream, excerpt in enumerate(group):
            samples[: len(excerpt.codes), stream] = excerpt.codes
        filled = group + [group[0]] * (engine.batch - len(group))
        engine.reset()
        logits = engine.score(samples, _bias(conditioner, filled))  # (T, B, A)
        for stream, excerpt in enumerate(group):
            yield logits[: len(excerpt.codes), stream]


def _free_run(
    engine: _InBlocks, reference: Reference, conditioner: Conditioner
) -> tuple[NDArray[np.int32], int | None, float | None]:
    """Samples (T, B), the first index that differs in any stream, and the draw's margin there."""
    free = reference.free
    run = Excerpt(free.samples, free.conditions)
    bias = _bias(conditioner, [run] * engine.batch)
    one = Uniforms(free.seed, streams=1).draw(len(free.samples))  # (T, 1)
    uniforms = np.repeat(one, engine.batch, axis=1)  # all streams are the same one
    engine.reset()
    samples = engine.generate(bias, uniforms)
    differs = samples != free.samples[:, None]
    if not differs.any():
        return samples, None, None
    first, stream = np.argwhere(differs)[0]
    engine.reset()
    heard = np.repeat(free.samples[: first + 1, None], engine.batch, axis=1)
    logits = engine.score(heard, bias)[first, stream].astype(np.float64)
    below = np.cumsum(np.exp(logits - logits.max()))
    # The uniform fell on one side of this boundary here, on the other in PyTorch.
    boundary = min(free.samples[first], samples[first, stream])
    other = max(free.samples[first], samples[first, stream]) - 1
    edges = below[[boundary, other]] / below[-1]
    return samples, int(first), float(np.abs(edges - one[first, 0]).min())


def _bias(conditioner: Conditioner, excerpts: list[Excerpt]) -> Bias:
    """(1, L, B, G), each stream conditioned as its excerpt."""
    each = [conditioner.bias(dict(excerpt.conditions), 1) for excerpt in excerpts]
    given = [bias for bias in each if bias is not None]
    return np.concatenate(given, axis=2) if given else None
