"""Samples as audio: the head's decoding, then the model's de-emphasis and gain."""

from __future__ import annotations

import math

import numpy as np

from wn_export.graphs.builder import GraphBuilder
from wn_runtime.engines.generator.signature import POSTPROCESS
from wn_runtime.heads.mixture import Mixture
from wn_runtime.model.spec import ModelSpec


def add_audio(graph: GraphBuilder, spec: ModelSpec, samples: str, batch: int) -> None:
    """`audio` [P, B] of samples [P, B]; where there is a de-emphasis, `next.postprocess` [B]."""
    post = spec.postprocess
    decoded = _decoded(graph, spec, samples)
    if post.does_nothing:
        graph.node("Identity", "audio", decoded)
        return
    heard = graph.cast("audio/wide", decoded, np.float64)
    if post.deemphasis:
        heard = _deemphasised(graph, heard, post.deemphasis, batch)
    gain = graph.constant("audio/gain", np.array(float(post.gain)), np.float64)
    heard = graph.node("Mul", "audio/louder", heard, gain)
    low, high = (
        graph.constant(f"audio/{name}", np.array(bound), np.float64)
        for name, bound in (("lowest", -1.0), ("highest", 1.0))
    )
    graph.cast("audio", graph.node("Clip", "audio/clipped", heard, low, high), np.float32)


def _decoded(graph: GraphBuilder, spec: ModelSpec, samples: str) -> str:
    """See `Head.decode`."""
    head = spec.output
    if head.codes is not None:
        table = graph.constant("audio/table", head.decode(np.arange(head.codes)))
        return graph.node("Gather", "audio/decoded", table, samples)
    mu = head.mu if isinstance(head, Mixture) else 0
    if not mu:
        return samples
    y = graph.cast("audio/curve", samples, np.float64)
    factor = graph.constant("audio/factor", np.array(math.log1p(mu)), np.float64)
    one = graph.constant("audio/one", np.array(1.0), np.float64)
    size = graph.constant("audio/mu", np.array(float(mu)), np.float64)
    x = graph.node("Mul", "audio/power", graph.node("Abs", "audio/size", y), factor)
    x = graph.node("Sub", "audio/over", graph.node("Exp", "audio/exp", x), one)
    x = graph.node("Mul", "audio/signed", x, graph.node("Sign", "audio/sign", y))
    return graph.cast("audio/decoded", graph.node("Div", "audio/expanded", x, size), np.float32)


def _deemphasised(graph: GraphBuilder, audio: str, factor: float, batch: int) -> str:
    """y[t] = x[t] + factor * y[t-1], sample by sample, as `Postprocess` does it."""
    body = GraphBuilder("deemphasis", "fp32", "deemphasis:")
    body.input("deemphasis/before", (batch,), np.float64)
    body.input("deemphasis/x", (batch,), np.float64)
    by = body.constant("deemphasis/factor", np.array(float(factor)), np.float64)
    kept = body.node("Mul", "deemphasis/kept", "deemphasis/before", by)
    y = body.node("Add", "deemphasis/y", "deemphasis/x", kept)
    body.output(y, (batch,), np.float64)
    body.output(body.node("Identity", "deemphasis/heard", y), (batch,), np.float64)
    graph.several(
        "Scan",
        "audio/deemphasis",
        [f"state.{POSTPROCESS}", audio],
        [f"next.{POSTPROCESS}", "audio/filtered"],
        body=body.graph(),
        num_scan_inputs=1,
    )
    return "audio/filtered"
