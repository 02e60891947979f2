"""What a model's conditioners are in C: constants that source/host is compiled with, and weights.

The arrays stand in the order of `conditioning` in source/host/file.h.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning import context_stack, frames, stretched_weights
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.errors import WavestepError
from wn_runtime.model.weights import Weights

Array = NDArray[np.float32]
_UPSAMPLINGS = {"repeat": "0", "linear": "LINEAR", "transposed": "TRANSPOSED"}


@dataclass(frozen=True)
class Part:
    """One conditioner in C."""

    kind: str
    """Its KIND_… in bias.h."""
    macros: Mapping[str, object] = field(default_factory=dict)
    arrays: tuple[Array, ...] = ()


def part(spec: ConditionerSpec, weights: Weights) -> Part:
    """Raises WavestepError for a conditioner without C code."""
    make = _PARTS.get(type(spec))
    if make is None:
        raise WavestepError(f"the C API has no code for the conditioner {spec.kind!r}")
    return make(spec, weights)


def initialiser(values: Any) -> str:
    """`{1, 2}`, as C initialises an array."""
    return "{" + ", ".join(map(str, values)) + "}"


def _global(spec: GlobalConditions, weights: Weights) -> Part:
    tables = [weights[f"condition.{condition.name}.weight"] for condition in spec.named]
    return Part("KIND_GLOBAL", arrays=(np.concatenate(tables),))


def _local(spec: LocalFrames, weights: Weights) -> Part:
    stretching = {"repeat": 1, "linear": 2, "transposed": spec.taps}[spec.upsampling]
    inputs = [spec.channels, *[spec.hidden] * len(spec.kernels)]
    widths = [*spec.kernels, stretching]
    kernels = [weights[name] for i in range(len(spec.kernels)) for name in frames.kernel_names(i)]
    macros = {
        "LOCAL": 1,
        "LOCAL_KERNELS": len(spec.kernels),
        "LOCAL_KERNEL_NUMBERS": sum(array.size for array in kernels),
        "LOCAL_WIDTHS": initialiser(widths),
        "LOCAL_INPUT_NUMBERS": sum(np.multiply(inputs, widths)),
        "LOCAL_HIDDEN": spec.hidden,
        "LOCAL_PAST": spec.past,
        "LOCAL_UPSAMPLING": _UPSAMPLINGS[spec.upsampling],
        "LOCAL_TAPS": stretching,
        "LOCAL_ROWS": spec.rows,
    }
    arrays = [weights[frames.MEAN], weights[frames.SCALE], _joined(*kernels)]
    if spec.upsampling == "transposed":
        arrays.append(weights[frames.UPSAMPLING])
    return Part("KIND_LOCAL", macros, (*arrays, weights[frames.WEIGHT]))


def _stretched(spec: StretchedFrames, weights: Weights) -> Part:
    levels, first = spec.levels, spec.levels[0]
    stages = [
        weights[name] for i in range(len(levels)) for name in stretched_weights.stage_names(i)
    ]
    linear = spec.frequency == 1 and spec.slope == 1 and not any(b.any() for b in stages[1::2])
    window = first.before + 1 + first.after
    channels = window if linear else spec.channels
    rows = [(x.before + x.rows + x.after - x.back - x.ahead) * x.scale for x in levels]
    fields = [
        (x.scale, x.back, x.ahead, x.rows, x.before, x.after, x.skip, x.drop, spec.taps(i))
        for i, x in enumerate(levels)
    ]
    macros = {
        "STRETCH": 1,
        "STRETCH_LINEAR": int(linear),
        "STRETCH_STAGES": len(levels),
        "STRETCH_LEVELS": initialiser(map(initialiser, fields)),
        "STRETCH_STAGE_NUMBERS": sum(array.size for array in stages),
        "STRETCH_FREQUENCY": spec.frequency,
        "STRETCH_SLOPE": float(np.float32(spec.slope)).hex() + "f",
        "STRETCH_UNLEAKED": int(spec.slope == 1),
        "STRETCH_CONTEXT": spec.context,
        "STRETCH_WIDTH": 2 * spec.context + 1,
        "STRETCH_MARGIN": spec.margin,
        "STRETCH_START": f"({-first.before - spec.context})",
        "STRETCH_CS": window,
        "STRETCH_ROOM": max(window, *rows) * channels,
    }
    names = (stretched_weights.MEAN, stretched_weights.SCALE, stretched_weights.CONV)
    ends = (_joined(*stages), weights[stretched_weights.WEIGHT])
    return Part("KIND_STRETCH", macros, (*(weights[name] for name in names), *ends))


def _stack(spec: ContextStack, weights: Weights) -> Part:
    layers = [
        weights[name] for i in range(len(spec.dilations)) for name in context_stack.layer_names(i)
    ]
    macros = {
        "STACK": 1,
        "STACK_POOL": spec.pool,
        "STACK_BLOCK": spec.block,
        "STACK_CHANNELS": spec.channels,
        "STACK_FILTER": spec.filter_width,
        "STACK_KERNEL": spec.kernel,
        "STACK_LAYERS": len(spec.dilations),
        "STACK_DILATIONS": initialiser(spec.dilations),
        "STACK_PAST_NUMBERS": sum(map(spec.past, range(len(spec.dilations)))) * spec.channels,
    }
    names = (context_stack.FILTER, context_stack.FILTER_BIAS)
    arrays = [weights[context_stack.WAVE]] if spec.classes else []
    arrays += [*(weights[name] for name in names), _joined(*layers)]
    return Part("KIND_STACK", macros, (*arrays, weights[context_stack.WEIGHT]))


def _joined(*arrays: Array) -> Array:
    """One behind the other, without gaps."""
    return np.concatenate([array.ravel() for array in (*arrays, np.zeros(0, np.float32))])


_PARTS: dict[type[ConditionerSpec], Callable[[Any, Weights], Part]] = {
    GlobalConditions: _global,
    LocalFrames: _local,
    StretchedFrames: _stretched,
    ContextStack: _stack,
}
