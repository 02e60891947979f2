"""Two conditioners that the product does not have, whole in one file.

Contour: frames of two channels, one every four samples, through three taps: the frame before, this
one and the next, so that it has a state, upsamples and looks ahead. Echo: the mean amplitude of
the eight samples before, so that it reads what was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from wn_export.graphs.conditioning.part import GraphPart
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.model.state import State
from wn_train.conditioning.part import ConditionerModule

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
TAPS = 3


@dataclass(frozen=True)
class Contour(ConditionerSpec):
    channels: int = 2

    kind: ClassVar[str] = "toy-contour"

    @property
    def frame_channels(self) -> int:
        return self.channels

    @property
    def hop(self) -> int:
        return 4

    @property
    def lookahead(self) -> int:
        return 4

    @property
    def memory(self) -> int:
        return 4

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        return {"condition.contour.weight": (TAPS, self.channels, layers, gate_channels)}

    def part(self, layers: int, gate_channels: int, weights: Weights) -> ContourPart:
        return ContourPart(weights["condition.contour.weight"], self.hop)


class ContourPart:
    def __init__(self, weight: Array, hop: int) -> None:
        self._weight, self._hop = weight, hop

    def start(self, values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        return {"past": np.zeros((1, streams, self._weight.shape[1]), np.float32)}

    def block(
        self, state: State, samples: int, frames: Frames | None, history: NDArray[Any] | None
    ) -> tuple[Rows, State]:
        assert frames is not None
        rows = samples // self._hop
        window = np.concatenate([state["past"], frames])  # (1 + rows + 1, B, C)
        taps = [np.einsum("nbc,clg->nlbg", window[j : j + rows], self._weight[j]) for j in range(3)]
        return taps[0] + taps[1] + taps[2], {"past": frames[rows - 1 : rows].copy()}


class ContourModule(ConditionerModule):
    def __init__(self, spec: Contour, layers: int, gate_channels: int) -> None:
        super().__init__()
        shape = (TAPS, spec.channels, layers, gate_channels)
        self.weight = nn.Parameter(torch.randn(shape) * 0.1)
        self._hop = spec.hop

    def forward(
        self, values: Mapping[str, Tensor], frames: Tensor | None, samples: Tensor
    ) -> Tensor:
        assert frames is not None
        rows = samples.shape[1] // self._hop
        window = F.pad(frames, (0, 0, 1, 0))  # (B, 1 + rows + 1, C)
        taps = torch.stack([window[:, j : j + rows] for j in range(TAPS)])
        return torch.einsum("jbnc,jclg->lbng", taps, self.weight)

    def canonical(self) -> dict[str, Tensor]:
        return {"condition.contour.weight": self.weight}


def add_contour(part: GraphPart, spec: Contour) -> str:
    graph, name = part.graph, part.name
    assert part.frames is not None
    layers, gate, rows = part.spec.layers, part.spec.gate_channels, part.block // spec.hop
    past = graph.input(f"state.{part.index}.past", [1, part.batch, spec.channels])
    frames = graph.node("Transpose", name("frames"), part.frames, perm=[1, 0, 2])
    window = graph.node("Concat", name("window"), past, frames, axis=0)
    weight, total = part.weights["condition.contour.weight"], ""
    for j in range(TAPS):
        tap = graph.node(
            "Slice", name(f"tap{j}"), window, graph.shape(j), graph.shape(j + rows), graph.shape(0)
        )
        table = graph.constant(name(f"weight{j}"), weight[j].reshape(spec.channels, -1))
        product = graph.node("MatMul", name(f"product{j}"), tap, table)  # [N, B, L*G]
        total = product if j == 0 else graph.node("Add", name(f"sum{j}"), total, product)
    part.states[f"state.{part.index}.past"] = graph.node(
        "Slice", name("newest"), frames, graph.shape(rows - 1), graph.shape(rows), graph.shape(0)
    )
    shape = graph.shape(rows, part.batch, layers, gate)
    apart = graph.node("Reshape", name("apart"), total, shape)
    return graph.node("Transpose", name("bias"), apart, perm=[0, 2, 1, 3])


@dataclass(frozen=True)
class Echo(ConditionerSpec):
    kind: ClassVar[str] = "toy-echo"

    @property
    def hop(self) -> int:
        return 8

    @property
    def memory(self) -> int:
        return 8

    @property
    def uses_history(self) -> bool:
        return True

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        return {"condition.echo.weight": (layers, gate_channels)}

    def part(self, layers: int, gate_channels: int, weights: Weights) -> EchoPart:
        return EchoPart(weights["condition.echo.weight"])


class EchoPart:
    def __init__(self, weight: Array) -> None:
        self._weight = weight

    def start(self, values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        return {}

    def block(
        self, state: State, samples: int, frames: Frames | None, history: NDArray[Any] | None
    ) -> tuple[Rows, State]:
        assert history is not None
        assert history.shape[0] == samples == 8
        mean = history.mean(axis=0, dtype=np.float32)  # (B,)
        return (mean[None, :, None] * self._weight[:, None])[None], state


class EchoModule(ConditionerModule):
    def __init__(self, spec: Echo, layers: int, gate_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(layers, gate_channels))

    def forward(
        self, values: Mapping[str, Tensor], frames: Tensor | None, samples: Tensor
    ) -> Tensor:
        means = samples.reshape(len(samples), -1, 8).mean(dim=2)  # (B, N)
        before = F.pad(means, (1, 0))[:, :-1]
        return torch.einsum("bn,lg->lbng", before, self.weight)

    def canonical(self) -> dict[str, Tensor]:
        return {"condition.echo.weight": self.weight}


def add_echo(part: GraphPart, spec: Echo) -> str:
    graph, name = part.graph, part.name
    assert part.history is not None
    layers, gate = part.spec.layers, part.spec.gate_channels
    mean = graph.node("ReduceMean", name("mean"), part.history, axes=[1], keepdims=1)  # [B, 1]
    mean = graph.node("Reshape", name("column"), mean, graph.shape(1, part.batch, 1))
    weight = graph.constant(name("weight"), part.weights["condition.echo.weight"][:, None])
    bias = graph.node("Mul", name("rows"), mean, weight)  # [L, B, G]
    return graph.node("Reshape", name("bias"), bias, graph.shape(1, layers, part.batch, gate))
