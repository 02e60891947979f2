"""AdamW over a WaveNet: which parameters decay, and going on with saved moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from wn_train.config import TrainingConfig
from wn_train.network.wavenet import WaveNet


def groups(model: WaveNet) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters that weight decay pulls at, and those that it does not: biases, conditions."""
    decayed = [p for p in model.parameters() if p.dim() >= 2 and p.dim() != 3]
    decayed += [p for n, p in model.named_parameters() if p.dim() == 3 and "conditioners" not in n]
    known = {id(p) for p in decayed}
    return decayed, [p for p in model.parameters() if id(p) not in known]


def make(model: WaveNet, settings: TrainingConfig) -> torch.optim.Optimizer:
    """The optimizer of a run."""
    decayed, kept = groups(model)
    each = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(each, lr=settings.learning_rate, betas=(0.9, 0.98), fused=True)


def resume(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> None:
    """Go on with the moments of a checkpoint. The settings are those of `optimizer`, not its."""
    settings = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": saved["state"], "param_groups": settings})
