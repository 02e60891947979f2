"""A fused plan's node: which kernel it is, and what goes in and comes out.

         control [64] ─┐                    ┌─ samples [K, B]
uniforms [K, B, U] ────┤  up to K samples   ├─ params [K, B, A], where samples are forced
inverse_temperature [B]┤  of B streams      ├─ lines_out
       forced [K, B] ──┤                    └─ window_out
  bias [K, L, B, G] ───┤
     lines, window ────┘  the state, as the cuda engine has it; zeros and silence at the start

B is filled up to whole groups of the schedule. The weights are a constant of the network.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.cuda.choose import Kind
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.schedule import PRECISIONS, Schedule
from wn_runtime.engines.cuda.source import CONTROL_MARK, source
from wn_runtime.engines.device_loop.compiler import source_digest
from wn_runtime.engines.step_signature import Signature, Tensor
from wn_runtime.engines.tensorrt.fused.record import CHUNK, FusedRecord
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.spec import MOST_STREAMS, ModelSpec

_NUMBERS = ("steps", "held", "offset", "forced")
CONTROL = np.dtype(
    [("mark", "i4"), ("t", "u8"), *((name, "i4") for name in _NUMBERS), ("unused", "i4", 57)]
)
"""The struct Control of wavenet.cu, in words of 32 bits: t, the samples made before, is two of
them. Of `steps` samples, sample i has row (i + offset) // held of bias; held is 0 without one.
Filled up to what the address of a plan's tensor must be a multiple of."""
_WORD = np.dtype(np.int32)


@dataclass(frozen=True)
class FusedNode:
    """Everything about the node but the weights' values."""

    spec: ModelSpec
    precision: str
    batch: int
    """Streams that the plan was built for."""
    compute_capability: str
    fused: FusedRecord

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; it must be one of {PRECISIONS}")
        if not 1 <= self.batch <= MOST_STREAMS:
            raise ValueError(f"batch is {self.batch}; it must be 1 to {MOST_STREAMS}")
        if not re.fullmatch(r"\d{1,3}\.\d", self.compute_capability):
            raise ValueError(f"compute_capability is {self.compute_capability[:20]!r}, not as 8.7")

    @functools.cached_property
    def schedule(self) -> Schedule:
        """Raises EngineUnavailable where these sources are not those that it was built of."""
        limit = Gpu(self.compute_capability, 1, self.fused.shared_limit)
        try:
            schedule = Kind.of(self.fused.schedule).schedule(self.spec, self.precision, limit)
        except EngineUnavailable:
            schedule = None
        if schedule is None or source_digest(source(schedule, CHUNK)) != self.fused.source_sha256:
            raise EngineUnavailable(
                "the plan was built from other sources, or for a model of other shapes, than these"
            )
        return schedule

    @property
    def text(self) -> str:
        """CUDA C++ of its kernel."""
        return source(self.schedule, CHUNK)

    @property
    def groups(self) -> int:
        """Of streams, a block or a cluster each."""
        return -(-self.batch // self.schedule.streams)

    @property
    def width(self) -> int:
        """B, with the streams that fill up the last group."""
        return self.groups * self.schedule.streams

    @property
    def signature(self) -> Signature:
        """In the order that the plugin takes them, before the weights, and gives them."""
        spec, head, schedule = self.spec, self.spec.output, self.schedule
        number, sample = np.dtype(np.float32), head.sample_dtype
        lines = Tensor((self.groups, schedule.line_rows, schedule.line_bytes // 4), _WORD)
        window = Tensor((self.groups, spec.input_kernel, schedule.streams), sample)
        inputs = {
            "control": Tensor((CONTROL.itemsize // 4,), _WORD),
            "uniforms": Tensor((CHUNK, self.width, head.uniforms), _WORD),
            "inverse_temperature": Tensor((self.width,), number),
            "forced": Tensor((CHUNK, self.width), sample),
        }
        if spec.conditioning:
            inputs["bias"] = Tensor((CHUNK, spec.layers, self.width, spec.gate_channels), number)
        outputs = {
            "samples": Tensor((CHUNK, self.width), sample),
            "params": Tensor((CHUNK, self.width, head.params), number),
        }
        return Signature(
            {**inputs, "lines": lines, "window": window},
            {**outputs, "lines_out": lines, "window_out": window},
        )

    @property
    def weights(self) -> Tensor:
        """The constant: the packed model, in words."""
        return Tensor((self.schedule.model_bytes // 4,), _WORD)


def controls(t: int, steps: int, held: int, offset: int, forced: bool) -> NDArray[np.void]:
    """The control of each call that `steps` samples take.

    t: samples made before. held, offset: as of the cuda engine's launch.
    """
    starts = np.arange(0, steps, CHUNK)
    found = np.zeros(len(starts), CONTROL)
    found["mark"], found["t"], found["forced"] = CONTROL_MARK, t + starts, forced
    found["steps"] = np.minimum(CHUNK, steps - starts)
    found["held"] = held
    if held:
        found["offset"] = (starts + offset) % held
    return found
