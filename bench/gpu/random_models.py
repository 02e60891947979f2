"""Models of any shape that a user may train, and the schedules the cuda engine takes for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.models.specs import SPEAKER, small_spec
from wn_runtime.engines.cuda.choose import Choice, cheapest
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.kind import PRECISIONS
from wn_runtime.errors import EngineUnavailable
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec

STREAMS = (1, 1, 1, 2, 8, 16, 64)
"""A stream as often as several."""


@dataclass(frozen=True)
class Drawn:
    """One, on a GPU."""

    name: str
    spec: ModelSpec
    sm: int
    streams: int
    choice: Choice

    @property
    def shape(self) -> str:
        """`L7 R24 G48 S40 H16 k2 k0 1 softmax`."""
        spec = self.spec
        return (
            f"L{spec.layers} R{spec.residual_channels} G{spec.gate_channels} "
            f"S{spec.skip_channels} H{spec.head_channels} k{spec.kernel} k0 {spec.input_kernel} "
            f"{spec.output.kind} {spec.output.params}"
        )


def draw(number: int, gpus: Mapping[int, Gpu]) -> Drawn:
    """The model of a number, on one of the GPUs that can run it; all by that number alone."""
    rng = np.random.default_rng(number)
    while True:
        spec, sm = random_model(rng), int(rng.choice(list(gpus)))
        precision, streams = str(rng.choice(PRECISIONS)), int(rng.choice(STREAMS))
        try:
            choice = cheapest(spec, precision, streams, gpus[sm], tried=False)
        except EngineUnavailable:
            continue
        return Drawn(f"random-{number}", spec, sm, streams, choice)


def random_model(rng: np.random.Generator) -> ModelSpec:
    """Half of them of even widths, as most are, half of any."""
    step = int(rng.choice([1, 16]))

    def width(most: int) -> int:
        return step * int(rng.integers(1, most // step + 1))

    layers = int(rng.integers(1, 31))
    deepest = int(rng.integers(1, 10))
    heads: Sequence[Head] = (
        Softmax(int(rng.integers(2, 513))),
        Logistic(int(rng.integers(1, 11))),
        Gaussian(),
    )
    return small_spec(
        dilations=[2 ** (layer % deepest) for layer in range(layers)],
        kernel=int(rng.integers(2, 5)),
        input_kernel=int(rng.integers(1, 4)),
        residual=width(128),
        gate=2 * width(128),
        skip=width(256),
        head=width(256),
        output=heads[int(rng.choice(3, p=[0.6, 0.2, 0.2]))],
        residual_scale=float(rng.choice([1.0, 0.5**0.5])),
        conditions=[SPEAKER] if rng.random() < 0.5 else (),
    )
