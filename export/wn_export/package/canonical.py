"""A trained WaveNet in PyTorch to the canonical weights that every engine is made from."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.model import weights
from wn_train.network.layers import GatedLayer, Pointwise
from wn_train.network.wavenet import WaveNet


def canonical_weights(model: WaveNet, where: str) -> dict[str, NDArray[np.float32]]:
    """Name to array, as wn_runtime/weights.py lists them; weight norm is folded in.

    Raises WavestepError, beginning with `where`, for NaN or infinity in the model.
    """
    spec = model.spec
    layers = [layer for layer in model.layers if isinstance(layer, GatedLayer)]
    head = [part for part in model.head if isinstance(part, Pointwise)]
    z = spec.gate // 2
    nothing = (torch.zeros(z, spec.residual), torch.zeros(spec.residual))  # of the last layer
    residual = [_pair(layer.residual) if layer.residual else nothing for layer in layers]
    skip_weight, skip_bias = _pair(model.skip)
    table: dict[str, Tensor] = {
        "input.weight": model.input_weight,
        "input.bias": model.input_bias,
        "gate.weight": torch.stack([layer.gate.weight for layer in layers]),
        "gate.bias": torch.stack([layer.gate.bias for layer in layers]),
        "residual.weight": torch.stack([weight for weight, _ in residual]),
        "residual.bias": torch.stack([bias for _, bias in residual]),
        "skip.weight": skip_weight.reshape(spec.layers, z, spec.skip),
        "skip.bias": skip_bias,
    }
    for i, part in enumerate(head):
        table[f"head.{i}.weight"], table[f"head.{i}.bias"] = _pair(part)
    for condition in spec.conditions:
        table[f"condition.{condition.name}.weight"] = model.conditions[condition.name]
    arrays = {
        name: np.ascontiguousarray(tensor.detach().float().cpu().numpy())
        for name, tensor in table.items()
    }
    weights.check(arrays, spec, where)
    return arrays


def _pair(part: Pointwise) -> tuple[Tensor, Tensor]:
    assert part.bias is not None  # every 1x1 convolution of the WaveNet has one
    return part.weight, part.bias
