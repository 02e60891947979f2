"""The losses of all heads, by the head's kind. To add one: docs/add-a-head.md."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.heads.head import Head
from wn_train.heads import gaussian, logistic, softmax

Nll = Callable[[Head, Tensor, Tensor], Tensor]
"""(head, params (B, T, A), samples (B, T)) -> -log p of each sample (B, T), in nats."""

LOSSES: dict[str, Nll] = {
    "softmax": softmax.nll,
    "logistic": logistic.nll,
    "gaussian": gaussian.nll,
}


def nll(head: Head, params: Tensor, samples: Tensor) -> Tensor:
    """-log p of each sample, (B, T), in nats. Raises WavestepError for a head without a loss."""
    if head.kind not in LOSSES:
        raise WavestepError(unknown("head", head.kind, LOSSES, "losses are there for"))
    return LOSSES[head.kind](head, params, samples)
