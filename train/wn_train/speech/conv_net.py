"""The network of wn_runtime.speech.conv_net over batches of sequences, in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvNet(nn.Module):
    """Parameters by the names that follow the network's own: `0.weight` of `prosody.0.weight`."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dropout: float) -> None:
        """shapes: those of `wn_runtime.speech.conv_net.shapes`, without the network's name."""
        super().__init__()
        self.layers = sum(name[0].isdigit() for name in shapes) // 2
        self._dropout = dropout
        self._names = {name: name.replace(".", "_") for name in shapes}
        for name, shape in shapes.items():
            power = 0 if name.endswith("bias") else 1 if name == "output.weight" else 2
            value = torch.randn(shape) * (power / math.prod(shape[:-1])) ** 0.5
            self.register_parameter(self._names[name], nn.Parameter(value))

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Rows (B, n, inputs) -> (B, n, outputs); mask (B, n, 1): 1 where a sequence has a row."""
        h = F.relu(rows @ self["input.weight"] + self["input.bias"]) * mask
        for i in range(self.layers):
            weight = self[f"{i}.weight"]  # (width, in, out)
            given = F.dropout(h, self._dropout, self.training).transpose(1, 2)
            total = F.conv1d(given, weight.permute(2, 1, 0), padding=len(weight) // 2)
            h = (h + F.relu(total.transpose(1, 2) + self[f"{i}.bias"])) * mask
        h = F.dropout(h, self._dropout, self.training)
        return h @ self["output.weight"] + self["output.bias"]

    def __getitem__(self, name: str) -> Tensor:
        return self.get_parameter(self._names[name])

    def canonical(self) -> dict[str, Tensor]:
        """Its weights by their names."""
        return {name: self[name].detach() for name in self._names}
