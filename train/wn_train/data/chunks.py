"""Cutting utterances so that every sample is trained on equally often, with its full context.

    file     |----------------------------------------|~~~tail~~~|
    chunk 0  |==================|                                  from the zero state
    chunk 1        ·····RF······|==========|                       context, then counted samples
    chunk 2            ---memory---·····RF········|====~~~~~~~~~~|

A chunk from the start of a file needs no context: its zero state is the true one. What only the
conditioning remembers lies before the receptive field, and the network is spared it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train.data.audio import Utterance

LONG_TAIL_STRIDE = 10
MOST_CHUNKS = 2**22


@dataclass(frozen=True)
class Chunk:
    """A window of one utterance."""

    utterance: int
    start: int
    """First counted sample; the window begins `context` samples before it."""
    context: int
    """Samples of the window before it: the receptive field, or 0 at the start of a file; more
    where the conditioning remembers more, or must begin at a whole block."""
    counted: int
    """Samples in the loss, from `start` on; those past the file's end are its silent tail."""
    memory: int = 0
    """Samples at the window's front that only the conditioning reads: whole blocks of it."""

    @property
    def length(self) -> int:
        """Samples of the window."""
        return self.context + self.counted


@dataclass(frozen=True)
class Batch:
    """Chunks side by side, padded at the end to the longest."""

    samples: Tensor
    """(B, T) int64 classes, or float32 amplitudes."""
    counts: Tensor
    """(B, T) bool: which samples are in the loss."""
    conditions: dict[str, Tensor]
    """Categorical (B,) int64, -1 for none; tags (B, n) float32."""
    frames: Tensor | None = None
    """(B, F, C) of the samples and the lookahead beyond; past a file's own, its `padding`."""
    memory: int = 0
    """Samples at every row's front that only the conditioning reads."""
    heard: Tensor | None = None
    """What the network hears in place of `samples` (training/own_history.py); None: those."""

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(
            self.samples.to(device),
            self.counts.to(device),
            {name: value.to(device) for name, value in self.conditions.items()},
            None if self.frames is None else self.frames.to(device),
            self.memory,
            None if self.heard is None else self.heard.to(device),
        )


def cut(
    utterances: Sequence[Utterance],
    spec: ModelSpec,
    chunk: int,
    tail: int = 0,
    long_tail: int = 0,
) -> list[Chunk]:
    """Chunks that cover every sample of every utterance, and `tail` samples after it, once.

    Every `LONG_TAIL_STRIDE`-th utterance has `long_tail` samples after it where that is more.
    The first chunk of a file counts `chunk` + receptive field samples, so that all chunks have
    about one length. A remainder is shared out evenly over the file's chunks. Raises WavestepError
    for more than `MOST_CHUNKS`.
    """
    chunks: list[Chunk] = []
    timing, receptive_field = Timing.of(spec.conditioning), spec.receptive_field
    for i, utterance in enumerate(utterances):
        after = tail if i % LONG_TAIL_STRIDE else max(tail, long_tail)
        total = len(utterance.samples) + after
        first = min(total, receptive_field + chunk)
        chunks.append(Chunk(i, 0, 0, first))
        pieces = -(-(total - first) // chunk)
        if len(chunks) + pieces > MOST_CHUNKS:
            raise WavestepError(
                f"these are over {MOST_CHUNKS} chunks of {chunk} samples; take longer ones"
            )
        edges = np.linspace(first, total, pieces + 1).astype(int) if pieces else np.array([first])
        for start, end in itertools.pairwise(edges):
            block = (int(start) - receptive_field) // timing.block * timing.block
            window = max(0, block - timing.memory) // timing.block * timing.block
            memory = max(0, block) - window
            chunks.append(Chunk(i, int(start), int(start) - window, int(end - start), memory))
    return chunks


def epoch(chunks: Sequence[Chunk], batch_samples: int, seed: int, number: int) -> list[list[Chunk]]:
    """The batches of one epoch: chunks of like length together, in an order of (seed, number).

    batch_samples: the most of a batch, padding included, but not the memory that all rows have.
    """
    rng = np.random.default_rng((seed, number))
    jittered = [(chunk.length * rng.uniform(0.9, 1.1), i) for i, chunk in enumerate(chunks)]
    batches: list[list[Chunk]] = [[]]
    longest, least = 0, 0
    for _, i in sorted(jittered):
        chunk = chunks[i]
        longest, least = max(longest, chunk.length), min(least, chunk.memory)
        if not batches[-1] or (len(batches[-1]) + 1) * (longest - least) > batch_samples:
            if batches[-1]:
                batches.append([])
            longest, least = chunk.length, chunk.memory
        batches[-1].append(chunk)
    order = rng.permutation(len(batches))
    return [batches[i] for i in order]


def network_samples(batch: Sequence[Chunk]) -> int:
    """Samples of each row of a batch that the network goes through."""
    return max(chunk.length for chunk in batch) - min(chunk.memory for chunk in batch)


def collate(batch: Sequence[Chunk], utterances: Sequence[Utterance], spec: ModelSpec) -> Batch:
    """Gather the windows of a batch."""
    timing, head = Timing.of(spec.conditioning), spec.output
    longest = max(chunk.length for chunk in batch)
    longest = -(-longest // timing.block) * timing.block
    kind = np.int64 if head.codes is not None else np.float32
    samples = np.full((len(batch), longest), head.silence, kind)
    counts = np.zeros((len(batch), longest), bool)
    frames = np.zeros((len(batch), timing.frames(longest), timing.frame_channels), np.float32)
    for row, chunk in enumerate(batch):
        utterance, begin = utterances[chunk.utterance], chunk.start - chunk.context
        window = utterance.samples[begin:][: chunk.length]
        samples[row, : len(window)] = window
        counts[row, chunk.context : chunk.length] = True
        if utterance.frames is not None:
            given = utterance.frames[begin // timing.hop :][: frames.shape[1]]
            frames[row, : len(given)] = given
            frames[row, len(given) :] = 0 if utterance.padding is None else utterance.padding
    values = [utterances[chunk.utterance].recording.values for chunk in batch]
    return Batch(
        torch.from_numpy(samples),
        torch.from_numpy(counts),
        encode(values, spec),
        torch.from_numpy(frames) if timing.frame_channels else None,
        min(chunk.memory for chunk in batch),
    )


def encode(values: Sequence[dict[str, str]], spec: ModelSpec) -> dict[str, Tensor]:
    """Named values, one dictionary a stream, as the tensors that `WaveNet.forward` takes."""
    encoded = {}
    for condition in spec.conditions:
        given = [row.get(condition.name, "") for row in values]
        if condition.kind == "categorical":
            encoded[condition.name] = torch.tensor(
                [condition.index(value) if value else -1 for value in given]
            )
        else:
            rows: NDArray[np.float32] = np.zeros((len(given), len(condition.values)), np.float32)
            for row, value in zip(rows, given, strict=True):
                row[condition.indices(value)] = 1
            encoded[condition.name] = torch.from_numpy(rows)
    return encoded


def drop_conditions(
    conditions: dict[str, Tensor], probability: float, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Leave each condition of each stream out with `probability` (Ho and Salimans, 2022)."""
    dropped = {}
    for name, value in conditions.items():
        gone = torch.from_numpy(rng.random(len(value)) < probability)
        if value.dim() == 1:
            dropped[name] = torch.where(gone, torch.full_like(value, -1), value)
        else:
            dropped[name] = value * ~gone[:, None]
    return dropped


def positions(
    chunks: Sequence[Chunk], batch_samples: int, seed: int, start: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], list[Chunk]]]:
    """Endless batches from `start` = (epoch, index) on, each with the position after it."""
    number, index = start
    while True:
        batches = epoch(chunks, batch_samples, seed, number)
        for i in range(index, len(batches)):
            after = (number, i + 1) if i + 1 < len(batches) else (number + 1, 0)
            yield after, batches[i]
        number, index = number + 1, 0
