"""What training takes of memory, asked for before it is taken: a lower bound that is near."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from wn_runtime.engines.memory import available_bytes
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train.data.chunks import Chunk, network_samples

PARAMETER_BYTES = 20
"""A weight, its gradient, AdamW's two moments and the average, in float32."""


def check(
    spec: ModelSpec,
    training: Iterable[Sequence[Chunk]],
    validation: Iterable[Sequence[Chunk]],
    shares: int,
    device: torch.device,
    number_bytes: int,
) -> None:
    """Raise WavestepError where the parameters and the largest batch are more than there is.

    training, validation: their batches; of one for training a share is worked on at a time, in
    numbers of so many bytes. Validation is in float32.
    """
    parameters = spec.parameters * PARAMETER_BYTES
    steps = [
        number_bytes * _numbers(spec, -(-len(batch) // shares), batch, spec.layers)
        for batch in training
    ]
    passes = [4 * _numbers(spec, len(batch), batch, 1) for batch in validation]
    largest = max([*steps, *passes])
    available = _available(device)
    if available is not None and parameters + largest > available:
        raise WavestepError(
            f"training needs {_gib(parameters + largest)} of memory, {_gib(parameters)} of it for "
            f"{spec.parameters} parameters, and {_gib(available)} are available; take a smaller "
            "model or training.batch_samples, or more of training.accumulate"
        )


def _numbers(spec: ModelSpec, rows: int, batch: Sequence[Chunk], layers: int) -> int:
    """What so many layers of a batch leave in memory: all of them for its gradients, else one."""
    longest, window = network_samples(batch), max(chunk.length for chunk in batch)
    residual, gate, half = spec.residual_channels, spec.gate_channels, spec.gate_channels // 2
    # Of each layer its taps, tanh and sigmoid, and z; of the ends z side by side and three outputs.
    layer = spec.kernel * residual + gate + half
    if any(part.hold for part in spec.conditioning):
        layer += gate  # its bias, a row a sample
    ends = spec.layers * half + 2 * (spec.skip_channels + spec.head_channels + spec.output.params)
    each = layers * layer + ends
    padding = (spec.kernel - 1) * max(spec.dilations) * residual
    history = sum(part.training_numbers for part in spec.conditioning)
    return rows * (longest * each + padding + window * history)


def _available(device: torch.device) -> int | None:
    if device.type == "cuda":
        free: int = torch.cuda.mem_get_info(device)[0]
        return free
    return available_bytes()


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
