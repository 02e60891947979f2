"""A head and a conditioner that the product does not have, as far as a reference asks of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tests.models import specs
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.part import ConditionerPart
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.heads.head import Head, Samples
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec


@dataclass(frozen=True)
class Framed(ConditionerSpec):
    """Takes frames of four channels, one every ten samples."""

    kind: ClassVar[str] = "test-framed"

    @property
    def frame_channels(self) -> int:
        return 4

    @property
    def hop(self) -> int:
        return 10

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        return {"condition.framed.weight": (4, layers, gate_channels)}

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, NDArray[np.float32]]
    ) -> ConditionerPart:
        raise NotImplementedError


@dataclass(frozen=True)
class Amplitudes(Softmax):
    """Samples are floats."""

    kind: ClassVar[str] = "test-amplitudes"
    sample_dtype: ClassVar[np.dtype[Any]] = np.dtype(np.float32)


def framed_spec(head: Head | None = None) -> ModelSpec:
    """A model of 16 params with a speaker, a mood and frames."""
    return specs.small_spec(
        (1, 2, 4),
        gate=6,
        output=head or Softmax(16),
        conditioning=(GlobalConditions((specs.SPEAKER, specs.MOOD)), Framed()),
    )


def random_samples(head: Head, count: int, seed: int = 1) -> Samples:
    """(T,) of a head."""
    rng = np.random.default_rng(seed)
    if head.codes is None:
        return rng.uniform(-1, 1, count).astype(np.float32)
    return rng.integers(0, head.codes, count).astype(np.int32)
