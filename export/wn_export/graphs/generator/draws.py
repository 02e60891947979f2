"""The draws as graphs, one for each head: the same on integers as everywhere.

What depends on the uniforms alone is made for a whole call at once, before the loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.generator import quantiles
from wn_export.graphs.generator.rows import Row, Rows
from wn_runtime.errors import WavestepError
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import STEEPEST, UNIFORM_BITS, Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.mixture import LOG_SCALES, Mixture
from wn_runtime.heads.pcm16 import HIGHEST, LOWEST, SCALE
from wn_runtime.heads.softmax import Softmax

_INT64, _SINGLE, _DOUBLE = np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)
INVERSE, GREEDY, WARMTH = "temperature/inverse", "temperature/is_0", "temperature/single"


def add_temperatures(graph: GraphBuilder, batch: int) -> None:
    """1/T, as wn_runtime.heads.head has it, and whether it is 0: [B, 1] each."""
    t = graph.node("Reshape", "temperature/each", "temperature", graph.shape(batch, 1))
    for name, bound in (("least", 1 / STEEPEST), ("most", STEEPEST), ("zero", 0.0), ("one", 1.0)):
        graph.constant(f"temperature/{name}", np.array(bound), _DOUBLE)
    graph.node("Equal", GREEDY, t, "temperature/zero")
    t = graph.node("Max", "temperature/above", t, "temperature/least")
    t = graph.node("Min", "temperature/bound", t, "temperature/most")
    inverse = graph.node("Div", "temperature/inverse_wide", "temperature/one", t)
    graph.cast(INVERSE, inverse, np.float32)


class Draw(ABC):
    """A head's draw for B streams."""

    @abstractmethod
    def prepare(self, graph: GraphBuilder) -> Rows:
        """In the graph of a call, whose `uniforms` are [P, B, U]: what `sample` wants to know."""

    @abstractmethod
    def sample(self, step: GraphBuilder, params: str) -> tuple[str, str]:
        """In the graph of a step: what is drawn from params [B, A], [B, 1].

        And a tensor [B, 1] float32 that is finite where something could be drawn.
        """


@dataclass(frozen=True)
class SoftmaxDraw(Draw):
    """A class of some logits: the first whose cumulative w exceeds (u · Σw) >> 24."""

    classes: int
    batch: int
    uniform: int = 0
    """Which of the uniforms is u."""
    name: str = "draw"

    def prepare(self, graph: GraphBuilder) -> Rows:
        """See `Draw.prepare`."""
        index = graph.constant(f"{self.name}/which", np.array([self.uniform]))
        u = graph.node("Gather", f"{self.name}/uniform", "uniforms", index, axis=2)
        u = graph.node("Reshape", f"{self.name}/column", u, graph.shape(-1, self.batch, 1))
        graph.cast(f"call/{self.name}", u, np.int64)
        return {self.name: Row((self.batch, 1), _INT64)}

    def sample(self, step: GraphBuilder, params: str) -> tuple[str, str]:
        """See `Draw.sample`."""
        name = self.name
        most = step.node("ReduceMax", f"{name}/most", params, axes=[1], keepdims=1)
        x = step.node("Sub", f"{name}/below", params, most)
        x = step.node("Mul", f"{name}/scaled", x, INVERSE)
        x = step.node("Exp", f"{name}/exp", x)
        scale = step.constant(f"{name}/scale", np.array(2.0**22))
        x = step.node("Round", f"{name}/rounded", step.node("Mul", f"{name}/wide", x, scale))
        weights = step.cast(f"{name}/weights", x, np.int64)
        axis = step.constant(f"{name}/axis", np.array(1))
        sums = step.node("CumSum", f"{name}/sums", weights, axis)
        last = step.constant(f"{name}/last", np.array([self.classes - 1]))
        total = step.node("Gather", f"{name}/total", sums, last, axis=1)  # [B, 1]
        u = step.node("Mul", f"{name}/product", total, f"now/{self.name}")
        bits = step.constant(f"{name}/bits", np.array(1 << UNIFORM_BITS))
        threshold = step.node("Div", f"{name}/threshold", u, bits)
        above = step.node("Greater", f"{name}/above", sums, threshold)
        above = step.cast(f"{name}/above_int", above, np.int32)
        drawn = step.node("ArgMax", f"{name}/drawn", above, axis=1, keepdims=1)
        likeliest = step.node("ArgMax", f"{name}/likeliest", params, axis=1, keepdims=1)
        return step.node("Where", f"{name}/class", GREEDY, likeliest, drawn), most


@dataclass(frozen=True)
class MixtureDraw(Draw):
    """A 16-bit amplitude of a mixture: a component's quantile, to the nearest step."""

    head: Mixture
    batch: int
    quantile: Callable[[GraphBuilder, str], str]

    def prepare(self, graph: GraphBuilder) -> Rows:
        """See `Draw.prepare`."""
        first = graph.constant("draw/first", np.array([0]))
        u = graph.node("Gather", "draw/uniform", "uniforms", first, axis=2)
        u = graph.node("Reshape", "draw/column", u, graph.shape(-1, self.batch, 1))
        graph.node("Identity", "call/quantile", self.quantile(graph, u))
        zero = graph.constant("temperature/cold", np.array(0.0))
        one = graph.constant("temperature/unit", np.array(1.0))
        warm = graph.node("Div", "temperature/warm", one, INVERSE)
        graph.node("Where", WARMTH, GREEDY, zero, warm)
        own = {"quantile": Row((self.batch, 1), _SINGLE)}
        pick = self._pick
        return own if pick is None else {**own, **pick.prepare(graph)}

    def sample(self, step: GraphBuilder, params: str) -> tuple[str, str]:
        """See `Draw.sample`."""
        m, pick = self.head.components, self._pick
        names = ["draw/mean", "draw/log_scale"]
        if pick is None:
            step.split("draw/parts", params, names, 1, axis=1)
        else:
            every = ["draw/logits", "draw/means", "draw/log_scales"]
            step.split("draw/parts", params, every, m, axis=1)
            component, _ = pick.sample(step, "draw/logits")
            for name, all_of_it in zip(names, every[1:], strict=True):
                step.node("GatherElements", name, all_of_it, component, axis=1)
        low, high = float(self.head.min_log_scale), LOG_SCALES[1]
        x = step.node(
            "Clip",
            "draw/bounded",
            "draw/log_scale",
            step.constant("draw/low", np.array(low)),
            step.constant("draw/high", np.array(high)),
        )
        x = step.node("Exp", "draw/scale", x)
        x = step.node("Mul", "draw/warm", x, WARMTH)
        x = step.node("Mul", "draw/from_mean", x, "now/quantile")
        x = drawn = step.node("Add", "draw/amplitude", "draw/mean", x)
        scale = step.constant("draw/steps", np.array(SCALE))
        x = step.node("Round", "draw/nearest", step.node("Mul", "draw/in_steps", x, scale))
        x = step.node("Div", "draw/on_grid", x, scale)
        x = step.node(
            "Clip",
            "draw/sample",
            x,
            step.constant("draw/lowest", np.array(LOWEST)),
            step.constant("draw/highest", np.array(HIGHEST)),
        )
        return x, drawn

    @property
    def _pick(self) -> SoftmaxDraw | None:
        """The draw of the component; None where there is one."""
        m = self.head.components
        return SoftmaxDraw(m, self.batch, 1, "component") if m > 1 else None


DRAWS: dict[type[Head], Callable[[Head, int], Draw]] = {
    Softmax: lambda head, batch: SoftmaxDraw(head.params, batch),
    Logistic: lambda head, batch: MixtureDraw(_mixture(head), batch, quantiles.logistic),
    Gaussian: lambda head, batch: MixtureDraw(_mixture(head), batch, quantiles.gaussian),
}
"""Every head that a generator graph can be made for."""


def find(head: Head, batch: int) -> Draw:
    """The draw of a head. Raises WavestepError where there is none."""
    make = DRAWS.get(type(head))
    if make is None:
        raise WavestepError(
            f"no generator graph can be made for a {head.kind} head: "
            "export/wn_export/graphs/generator/draws.py has no draw of it"
        )
    return make(head, batch)


def _mixture(head: Head) -> Mixture:
    assert isinstance(head, Mixture)
    return head
