"""How well a model predicts: the training loss and the bits per sample of held-back audio."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from wn_runtime.model.spec import ModelSpec
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Batch, collate, cut, epoch


class Predictor(Protocol):
    """A WaveNet, or one wrapped by DDP or torch.compile."""

    def __call__(self, samples: Tensor, conditions: dict[str, Tensor]) -> Tensor: ...


def nats(model: Predictor, batch: Batch) -> Tensor:
    """-log p of the counted samples of a batch, summed: a scalar, in nats."""
    logits = model(batch.samples, batch.conditions).float()  # (B, T, A)
    each = F.cross_entropy(logits.flatten(0, 1), batch.samples.flatten(), reduction="none")
    return (each * batch.counts.flatten()).sum()


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
    chunks = cut(utterances, spec.receptive_field, spec.sample_rate)
    batches = epoch(chunks, 32 * spec.receptive_field, seed=0, number=0)
    total, count = 0.0, 0
    for part in batches[shard[0] :: shard[1]]:
        batch = to_device(collate(part, utterances, spec), device)
        total += float(nats(model, batch)) / math.log(2)
        count += int(batch.counts.sum())
    return total, count


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    conditions = {name: value.to(device) for name, value in batch.conditions.items()}
    return Batch(batch.samples.to(device), batch.counts.to(device), conditions)
