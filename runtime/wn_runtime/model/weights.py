"""The canonical weights: the one file that every engine is made from.

Float32, layer-stacked, input-major (`x @ W`); weight norm and constant scales are folded in, but
for `residual_scale`, which stays in the layer equation.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors import numpy as safetensors_numpy

from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

Weights = Mapping[str, NDArray[np.float32]]


def shapes(spec: ModelSpec) -> dict[str, tuple[int, ...]]:
    """Name to shape of every canonical weight of a model."""
    layers, z = spec.layers, spec.gate_channels // 2
    residual, gate = spec.residual_channels, spec.gate_channels
    skip, head = spec.skip_channels, spec.head_channels
    table: dict[str, tuple[int, ...]] = {
        "input.weight": (spec.input_kernel, spec.output.input_channels, residual),  # tap 0: newest
        "input.bias": (residual,),
        "gate.weight": (layers, spec.kernel, residual, gate),  # tap 0 = current
        "gate.bias": (layers, gate),
        "residual.weight": (layers, z, residual),  # the last layer's is zero: nothing uses it
        "residual.bias": (layers, residual),
        "skip.weight": (layers, z, skip),
        "skip.bias": (skip,),
        "head.0.weight": (skip, head),
        "head.0.bias": (head,),
        "head.1.weight": (head, spec.output.params),
        "head.1.bias": (spec.output.params,),
    }
    for conditioner in spec.conditioning:
        table |= conditioner.shapes(layers, gate)
    return table


def check(weights: Weights, spec: ModelSpec, where: str) -> None:
    """Raise WavestepError unless `weights` are exactly those of `spec`: names, shapes, float32."""
    check_shapes(weights, shapes(spec), where)


def check_shapes(weights: Weights, expected: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Raise WavestepError unless `weights` have exactly these names and shapes, in float32."""
    for name in sorted(expected.keys() - weights.keys()):
        raise WavestepError(f"{where}: weight {name!r} is missing; export the model again")
    for name in sorted(weights.keys() - expected.keys()):
        raise WavestepError(f"{where}: weight {name!r} does not belong to this model's spec")
    for name, shape in expected.items():
        array = weights[name]
        if array.shape != shape or array.dtype != np.float32:
            raise WavestepError(
                f"{where}: weight {name!r} is {array.dtype} {array.shape}, the spec asks for "
                f"float32 {shape}; export the model again"
            )
        if not np.isfinite(array).all():
            raise WavestepError(f"{where}: weight {name!r} holds NaN or infinity; train again")


def parse(data: bytes, spec: ModelSpec, where: str) -> dict[str, NDArray[np.float32]]:
    """The content of `weights.safetensors`. Raises WavestepError with `where` and the fault."""
    return parse_shapes(data, shapes(spec), where)


def parse_shapes(
    data: bytes, expected: Mapping[str, tuple[int, ...]], where: str
) -> dict[str, NDArray[np.float32]]:
    """The content of a file of weights of these shapes. Raises WavestepError as `parse` does."""
    try:
        weights: dict[str, NDArray[np.float32]] = safetensors_numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        # KeyError: an element type that NumPy has none of
        raise WavestepError(f"{where} cannot be read ({error}); export the model again") from error
    check_shapes(weights, expected, where)
    return weights
