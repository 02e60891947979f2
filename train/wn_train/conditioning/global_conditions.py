"""Conditions that are constant over an utterance (WaveNet, section 2.5), in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_train.conditioning.part import ConditionerModule
from wn_train.conditioning.tables import Tables


class GlobalConditioner(ConditionerModule):
    """V·h of every layer's gate: a table of one row a value for each condition."""

    def __init__(self, spec: GlobalConditions, layers: int, gate_channels: int) -> None:
        super().__init__()
        self._conditions = spec.conditions
        shape = (layers, gate_channels)
        self.tables = Tables({c.name: torch.zeros(len(c.values), *shape) for c in spec.conditions})

    def forward(
        self, values: Mapping[str, Tensor], _frames: Tensor | None, samples: Tensor, /
    ) -> Tensor:
        """One row for all samples, (L, B, 1, G). A condition that is not given adds nothing."""
        first = self.tables[self._conditions[0].name]
        total = first.new_zeros(samples.shape[0], *first.shape[1:])  # (B, L, G)
        for condition in self._conditions:
            value = values.get(condition.name)
            if value is None:
                continue
            table = self.tables[condition.name]  # (n, L, G)
            if condition.kind == "categorical":
                given = (value >= 0).to(table.dtype)[:, None, None]
                total = total + table[value.clamp(min=0)] * given
            else:
                total = total + torch.einsum("bn,nlg->blg", value.to(table.dtype), table)
        rows: Tensor = total.transpose(0, 1)[:, :, None]
        return rows

    def canonical(self) -> dict[str, Tensor]:
        """See `ConditionerModule.canonical`."""
        return {f"condition.{name}.weight": table for name, table in self.tables.items()}
