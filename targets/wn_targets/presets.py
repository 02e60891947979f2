"""The shapes of wn-train's presets, so that a device can be chosen before anything is trained."""

from __future__ import annotations

from wn_runtime.model.spec import ModelSpec

_CYCLE = tuple(1 << i for i in range(10))  # 1, 2, 4, …, 512
RATE = 16_000
"""Hz, where nothing else is said."""

PRESETS: dict[str, ModelSpec] = {
    "tiny": ModelSpec(RATE, _CYCLE[:7], residual=16, gate=32, skip=32, head=64),
    "small": ModelSpec(RATE, 2 * _CYCLE, residual=32, gate=64, skip=128, head=256),
    "medium": ModelSpec(RATE, 2 * _CYCLE, residual=64, gate=128, skip=128, head=256),
    "paper": ModelSpec(RATE, 3 * _CYCLE, residual=64, gate=128, skip=256, head=256),
}
