"""Drawing a class inside a graph, as sampling.CategoricalSampler does it on the host."""

from __future__ import annotations

import math

import numpy as np
import onnx

from wn_export.graphs.builder import GraphBuilder
from wn_export.tensorrt.layers import DRAW


class Draw:
    """The nodes that draw for `batch` streams of a graph; their constants are made once.

    The graph has an input inverse_temperature [1] float32, 0 for argmax. All is float32.
    """

    def __init__(self, graph: GraphBuilder, classes: int, batch: int) -> None:
        self._graph, self._classes, self._batch = graph, classes, batch
        # Blocks of about sqrt(A) classes, for _cumulative.
        self._inner = min(
            (n for n in range(1, classes + 1) if classes % n == 0),
            key=lambda n: abs(n - math.sqrt(classes)),
        )
        inner, outer = self._inner, classes // self._inner
        within = np.triu(np.ones((inner, inner)))  # [c, c']: c counts towards every c' >= c
        before = np.tril(np.ones((outer, outer)), -1)[None]
        self._within = graph.constant("draw.within", within, np.float32)
        self._before = graph.constant("draw.before", before, np.float32)
        self._end = graph.constant("draw/end", np.array([inner - 1], np.int32))
        self._last = graph.constant("draw/last", np.array([classes - 1], np.int32))
        self._none = graph.constant("draw/none", np.array([0], np.int32))
        zero = graph.constant("draw/zero", np.zeros(1), np.float32)
        self._greedy = graph.node("Equal", f"{DRAW}/greedy", "inverse_temperature", zero)

    def __call__(self, step: int, logits: str, uniform: str, forced: str) -> str:
        """logits [B, A], uniform [B, 1], forced [B] -> the class [B] int32, drawn or forced."""
        graph, name = self._graph, f"{DRAW}/step{step}"
        top = graph.node("ReduceMax", f"{name}/max", logits, axes=[1], keepdims=1)
        shifted = graph.node("Sub", f"{name}/shifted", logits, top)
        scaled = graph.node("Mul", f"{name}/scaled", shifted, "inverse_temperature")
        weight = graph.node("Exp", f"{name}/weight", scaled)
        sums = self._cumulative(name, weight)  # [B, A]
        total = graph.node("Gather", f"{name}/total", sums, self._last, axis=1)  # [B, 1]
        threshold = graph.node("Mul", f"{name}/threshold", uniform, total)
        # As many classes are not above as there are before the first that is.
        below = graph.node("LessOrEqual", f"{name}/below", sums, threshold)
        ones = graph.node("Cast", f"{name}/ones", below, to=int(onnx.TensorProto.INT32))
        count = graph.node("ReduceSum", f"{name}/count", ones, graph.shape(1), keepdims=0)
        drawn = graph.node("Min", f"{name}/drawn", count, self._last)
        best = graph.node("ArgMax", f"{name}/argmax", logits, axis=1, keepdims=0)
        best = graph.node("Cast", f"{name}/best", best, to=int(onnx.TensorProto.INT32))
        free = graph.node("Where", f"{name}/free", self._greedy, best, drawn)
        given = graph.node("GreaterOrEqual", f"{name}/given", forced, self._none)
        return graph.node("Where", f"{name}/class", given, forced, free)

    def _cumulative(self, name: str, weight: str) -> str:
        """Running sums over classes [B, A], by two levels of small triangular products.

        CumSum is a loop in TensorRT 10.3, which would be control flow.
        """
        graph, classes, batch, inner = self._graph, self._classes, self._batch, self._inner
        outer = classes // inner
        blocks = graph.node("Reshape", f"{name}/blocks", weight, graph.shape(batch * outer, inner))
        sums = graph.node("MatMul", f"{name}/within", blocks, self._within)
        sums = graph.node("Reshape", f"{name}/sums", sums, graph.shape(batch, outer, inner))
        ends = graph.node("Gather", f"{name}/ends", sums, self._end, axis=2)  # [B, outer, 1]
        carried = graph.node("MatMul", f"{name}/carried", self._before, ends)  # [B, outer, 1]
        total = graph.node("Add", f"{name}/carry", sums, carried)
        return graph.node("Reshape", f"{name}/cumulative", total, graph.shape(batch, classes))
