"""The shapes of wn-train's presets, so that a device can be chosen before anything is trained."""

from __future__ import annotations

from wn_runtime.model.spec import ModelSpec

_CYCLE = tuple(1 << i for i in range(10))  # 1, 2, 4, …, 512
RATE = 16_000
"""Hz, where nothing else is said."""


def _preset(dilations: tuple[int, ...], residual: int, skip: int, head: int) -> ModelSpec:
    return ModelSpec(
        RATE,
        dilations,
        residual_channels=residual,
        gate_channels=2 * residual,
        skip_channels=skip,
        head_channels=head,
    )


PRESETS: dict[str, ModelSpec] = {
    "tiny": _preset(_CYCLE[:7], residual=16, skip=32, head=64),
    "small": _preset(2 * _CYCLE, residual=32, skip=128, head=256),
    "medium": _preset(2 * _CYCLE, residual=64, skip=128, head=256),
    "paper": _preset(3 * _CYCLE, residual=64, skip=256, head=256),
}
