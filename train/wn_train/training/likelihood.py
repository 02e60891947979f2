"""How well a model predicts: the training loss and the bits per sample of held-back audio."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from wn_runtime.heads.head import Head
from wn_runtime.model.spec import ModelSpec
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Batch, Chunk, collate, cut, epoch
from wn_train.heads import registry as losses


class Predictor(Protocol):
    """A WaveNet, or one wrapped by DDP or torch.compile."""

    def __call__(
        self, samples: Tensor, values: dict[str, Tensor], frames: Tensor | None, memory: int
    ) -> Tensor:
        """See `WaveNet.forward`."""
        ...


def nll(model: Predictor, head: Head, batch: Batch) -> Tensor:
    """-log p of the counted samples of a batch, summed: a scalar, in nats."""
    memory = batch.memory
    heard = batch.samples if batch.heard is None else batch.heard
    params = model(heard, batch.conditions, batch.frames, memory).float()
    each = losses.nll(head, params, batch.samples[:, memory:])  # (B, T - memory)
    return (each * batch.counts[:, memory:]).sum()


@torch.no_grad()
def bits_per_sample(
    model: Predictor,
    spec: ModelSpec,
    utterances: Sequence[Utterance],
    device: torch.device,
    shard: tuple[int, int] = (0, 1),
) -> tuple[float, int]:
    """Summed bits and number of samples over all utterances, every sample once, in float32.

    shard: (rank, processes); a process works on its share of the batches.
    """
    total, count = 0.0, 0
    for part in batches(spec, utterances)[shard[0] :: shard[1]]:
        batch = collate(part, utterances, spec).to(device)
        total += float(nll(model, spec.output, batch)) / math.log(2)
        count += int(batch.counts.sum())
    return total, count


def batches(spec: ModelSpec, utterances: Sequence[Utterance]) -> list[list[Chunk]]:
    """What `bits_per_sample` goes through: every sample once."""
    chunks = cut(utterances, spec, spec.sample_rate)
    return epoch(chunks, 32 * spec.receptive_field, seed=0, number=0)
