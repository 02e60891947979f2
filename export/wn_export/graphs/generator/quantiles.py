"""The quantiles of the mixtures' families as graphs: of u [P, B, 1] int32, float32 of that shape.

Each is its head's `quantile` at 2u + 1, operation by operation.
"""

from __future__ import annotations

import numpy as np

from wn_export.graphs.builder import GraphBuilder
from wn_runtime.heads.gaussian import CENTRE, MIDDLE, TAIL, Terms


def logistic(graph: GraphBuilder, u: str) -> str:
    """See `Logistic.quantile`."""
    odd = _odd(graph, u)
    above = graph.node("Sub", "quantile/rest", _integer(graph, "whole", 2**25), odd)
    ratio = graph.node("Div", "quantile/ratio", _single(graph, odd), _single(graph, above))
    return graph.node("Log", "quantile/log", ratio)


def gaussian(graph: GraphBuilder, u: str) -> str:
    """See `Gaussian.quantile`."""
    odd = _odd(graph, u)
    whole = _number(graph, "unit", 2.0**25)
    off = graph.node("Sub", "quantile/off", odd, _integer(graph, "half", 2**24))
    q = graph.node("Div", "quantile/q", _single(graph, off), whole)
    square = graph.node("Mul", "quantile/square", q, q)
    near = graph.node("Sub", "quantile/near", _number(graph, "centre", 0.180625), square)
    near = graph.node("Mul", "quantile/centre", q, _ratio(graph, "centre", CENTRE, near))

    rest = graph.node("Sub", "quantile/rest", _integer(graph, "whole", 2**25), odd)
    tail = graph.node("Min", "quantile/outside", odd, rest)
    r = graph.node("Div", "quantile/tail", _single(graph, tail), whole)
    r = graph.node(
        "Sqrt",
        "quantile/r",
        graph.node("Neg", "quantile/minus_log", graph.node("Log", "quantile/log", r)),
    )
    middle = graph.node("Sub", "quantile/in_middle", r, _number(graph, "middle", 1.6))
    beyond = graph.node("Sub", "quantile/in_tail", r, _number(graph, "five", 5.0))
    far = graph.node(
        "Where",
        "quantile/far",
        graph.node("LessOrEqual", "quantile/is_middle", r, "quantile/number/five"),
        _ratio(graph, "middle", MIDDLE, middle),
        _ratio(graph, "tail", TAIL, beyond),
    )
    sign = graph.node("Sign", "quantile/sign", q)
    far = graph.node("Mul", "quantile/signed", far, sign)
    size = graph.node("Abs", "quantile/size", q)
    inside = graph.node("LessOrEqual", "quantile/inside", size, _number(graph, "edge", 0.425))
    return graph.node("Where", "quantile", inside, near, far)


def _odd(graph: GraphBuilder, u: str) -> str:
    """2u + 1."""
    twice = graph.node("Mul", "quantile/twice", u, _integer(graph, "two", 2))
    return graph.node("Add", "quantile/odd", twice, _integer(graph, "one", 1))


def _ratio(graph: GraphBuilder, name: str, terms: tuple[Terms, Terms], x: str) -> str:
    over, under = (
        _polynomial(graph, f"quantile/{name}/{part}", each, x)
        for part, each in zip(("over", "under"), terms, strict=True)
    )
    return graph.node("Div", f"quantile/{name}/ratio", over, under)


def _polynomial(graph: GraphBuilder, name: str, terms: Terms, x: str) -> str:
    """By Horner's rule."""
    total = graph.constant(f"{name}/0", np.array(terms[0]))
    for power, term in enumerate(terms[1:], 1):
        total = graph.node("Mul", f"{name}/x{power}", total, x)
        constant = graph.constant(f"{name}/{power}", np.array(term))
        total = graph.node("Add", f"{name}/sum{power}", total, constant)
    return total


def _single(graph: GraphBuilder, integers: str) -> str:
    return graph.cast(f"{integers}/single", integers, np.float32)


def _integer(graph: GraphBuilder, name: str, value: int) -> str:
    return graph.constant(f"quantile/number/{name}", np.array(value, np.int32))


def _number(graph: GraphBuilder, name: str, value: float) -> str:
    return graph.constant(f"quantile/number/{name}", np.array(value))
