"""A trained WaveNet in PyTorch to the canonical weights that every engine is made from."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.model import weights
from wn_train.conditioning.part import ConditionerModule
from wn_train.network.layers import GatedLayer, Pointwise
from wn_train.network.wavenet import WaveNet


def canonical_weights(model: WaveNet, where: str) -> dict[str, NDArray[np.float32]]:
    """Name to array, as wn_runtime.model.weights lists them; weight norm is folded in.

    Raises WavestepError, beginning with `where`, for NaN or infinity in the model.
    """
    spec = model.spec
    layers = [layer for layer in model.layers if isinstance(layer, GatedLayer)]
    head = [part for part in model.head if isinstance(part, Pointwise)]
    z = spec.gate_channels // 2
    # Nothing uses the last layer's residual output.
    last = (torch.zeros(z, spec.residual_channels), torch.zeros(spec.residual_channels))
    residual = [_pair(layer.residual) if layer.residual else last for layer in layers]
    skip_weight, skip_bias = _pair(model.skip)
    table: dict[str, Tensor] = {
        "input.weight": model.input.weight,
        "input.bias": model.input.bias,
        "gate.weight": torch.stack([layer.gate.weight for layer in layers]),
        "gate.bias": torch.stack([layer.gate.bias for layer in layers]),
        "residual.weight": torch.stack([weight for weight, _ in residual]),
        "residual.bias": torch.stack([bias for _, bias in residual]),
        "skip.weight": skip_weight.reshape(spec.layers, z, spec.skip_channels),
        "skip.bias": skip_bias,
    }
    for i, part in enumerate(head):
        table[f"head.{i}.weight"], table[f"head.{i}.bias"] = _pair(part)
    for conditioner in model.conditioners:
        assert isinstance(conditioner, ConditionerModule)
        table |= conditioner.canonical()
    arrays = {
        name: np.ascontiguousarray(tensor.detach().float().cpu().numpy())
        for name, tensor in table.items()
    }
    weights.check(arrays, spec, where)
    return arrays


def _pair(part: Pointwise) -> tuple[Tensor, Tensor]:
    assert part.bias is not None  # every 1x1 convolution of the WaveNet has one
    return part.weight, part.bias
