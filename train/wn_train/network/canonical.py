"""A trained WaveNet in PyTorch to the canonical weights that every engine is made from."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.model import weights
from wn_runtime.model.weights import Weights
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


def load_canonical(model: WaveNet, arrays: Weights) -> None:
    """Give a network, one without weight norm, these canonical weights: the inverse of the above.

    Its conditioners' have to be their parameters as they are, which a context stack's are not.
    """
    spec = model.spec
    z = spec.gate_channels // 2

    def put(tensor: Tensor | None, array: NDArray[np.float32]) -> None:
        assert tensor is not None
        tensor.copy_(torch.from_numpy(array))

    with torch.no_grad():
        put(model.input.weight, arrays["input.weight"])
        put(model.input.bias, arrays["input.bias"])
        for i, layer in enumerate(model.layers):
            assert isinstance(layer, GatedLayer)
            put(layer.gate.weight, arrays["gate.weight"][i])
            put(layer.gate.bias, arrays["gate.bias"][i])
            if layer.residual is not None:
                put(layer.residual.weight, arrays["residual.weight"][i])
                put(layer.residual.bias, arrays["residual.bias"][i])
        skip = arrays["skip.weight"].reshape(spec.layers * z, spec.skip_channels)
        put(model.skip.weight, skip)
        put(model.skip.bias, arrays["skip.bias"])
        for i, part in enumerate(model.head):
            assert isinstance(part, Pointwise)
            put(part.weight, arrays[f"head.{i}.weight"])
            put(part.bias, arrays[f"head.{i}.bias"])
        for conditioner in model.conditioners:
            assert isinstance(conditioner, ConditionerModule)
            for name, tensor in conditioner.canonical().items():
                put(tensor, arrays[name])


def _pair(part: Pointwise) -> tuple[Tensor, Tensor]:
    assert part.bias is not None  # every 1x1 convolution of the WaveNet has one
    return part.weight, part.bias
