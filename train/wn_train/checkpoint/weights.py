"""The weights of a checkpoint: those of its spec's network, by name and shape."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train.checkpoint.pickled import StoredTensor
from wn_train.network.wavenet import WaveNet

Shapes = Mapping[str, tuple[int, ...]]


def network(spec: ModelSpec, weight_norm: bool) -> WaveNet:
    """The network of a spec, with names and shapes and no memory behind them."""
    with torch.device("meta"):
        return WaveNet(spec, weight_norm)


def shapes(network: WaveNet) -> Shapes:
    """Name to shape of its state."""
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def check_size(given: Any, spec: ModelSpec, where: str) -> None:
    """Raise WavestepError for too few weights, before a network of so many layers is built."""
    plain = dataclasses.replace(spec, conditioning=())
    last = (spec.gate_channels // 2 + 1) * spec.residual_channels  # unused, so it has none
    least = plain.parameters - last
    tensors = given.values() if isinstance(given, dict) else ()
    found = sum(math.prod(each.shape) for each in tensors if isinstance(each, StoredTensor))
    if found < least:
        raise WavestepError(
            f"{where}: the weights are not its spec's (size {found} in all, not {least} or more)"
        )


def check(given: Any, expected: Shapes, where: str) -> dict[str, StoredTensor]:
    """A state whose tensors are not read yet. Raises WavestepError for another one."""
    if not isinstance(given, dict):
        raise WavestepError(f"{where}: it is no table of weights")
    found = {}
    for name in (*expected, *given):
        if name not in expected or name not in given:
            fault = "lacks" if name in expected else "has"
            raise WavestepError(
                f"{where}: the weights are not its spec's (it {fault} {name!r:.60})"
            )
        found[name] = float_of_shape(given[name], expected[name], f"{where}: {name}")
    return found


def float_of_shape(given: Any, shape: tuple[int, ...], where: str) -> StoredTensor:
    """A float32 tensor of a shape that its spec gives."""
    if not isinstance(given, StoredTensor) or given.storage.dtype != np.float32:
        raise WavestepError(f"{where} is no tensor of float32")
    if given.shape != shape:
        raise WavestepError(
            f"{where}: the weights are not its spec's (size {list(given.shape)}, not {list(shape)})"
        )
    return given
