"""Samples from a model in training: by the native engine, or with the network's own `step`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias, Conditioner, Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet

WHERE = "the model in training"
BLOCK = 512
"""Samples of one call, at most: so much bias is held in memory."""
Draw = Callable[[Bias, NDArray[np.int32]], Samples]
"""The next P samples (P, B) of streams, from their bias (N, L, B, G) and uniforms (P, B, U)."""


class Generator:
    """Generates by the native engine, or where that cannot run here by PyTorch, and says so."""

    def __init__(
        self, say: Callable[[str], None], library: Callable[[Shapes], Library] = compiled
    ) -> None:
        """library: finds compiled code."""
        self._say, self._compiled = say, library
        self._libraries: dict[str, Library] = {}
        self._native = True

    def prepare(self, model: WaveNet, streams: int) -> None:
        """Compile what is compiled for a model of this shape, which is no part of its speed."""
        if self._native:
            engine = self._engine(model, streams)
            if engine is not None:
                engine.close()

    def generate(
        self,
        model: WaveNet,
        conditions: Mapping[str, Values],
        streams: int,
        steps: int,
        seed: int = 0,
        frames: Frames | None = None,
    ) -> Samples:
        """Samples (steps, B), as the function `generate` has them."""
        engine = self._engine(model, streams) if self._native else None
        if engine is None:
            return generate(model, conditions, streams, steps, seed, frames)
        with contextlib.closing(engine):
            return generate(model, conditions, streams, steps, seed, frames, engine.generate)

    def go_on(
        self,
        model: WaveNet,
        conditions: Mapping[str, Values],
        given: Samples,
        steps: int,
        seed: int = 0,
        frames: Frames | None = None,
    ) -> Samples:
        """What the streams that made `given` (T, B) make next: (steps, B).

        Conditions and frames (F, B, C) are those of the streams from their first sample on. Raises
        WavestepError where the native engine cannot be had.
        """
        known, streams = given.shape
        engine = self._engine(model, streams) if self._native else None
        if engine is None:
            raise WavestepError("the native engine cannot be compiled any more; see above")
        blocks = _blocks(model, conditions, streams, frames)
        given = given.astype(model.spec.output.sample_dtype)
        drawn = uniforms(seed, streams, steps, model.spec.output.uniforms)
        parts = []
        with contextlib.closing(engine):
            t = 0
            while t < known + steps:
                bias, count = blocks.next(min(BLOCK, (known if t < known else known + steps) - t))
                if t < known:
                    part = given[t : t + count]
                    engine.score(part, bias)
                else:
                    part = engine.generate(bias, drawn[t - known : t - known + count])
                    parts.append(part)
                blocks.advance(part)
                t += count
        return np.concatenate(parts)

    def _engine(self, model: WaveNet, streams: int) -> Engine | None:
        """In float32, on the weights that the model has now."""
        weights, threads = canonical_weights(model, WHERE), torch.get_num_threads()
        try:
            return NativeEngine(model.spec, weights, "fp32", streams, threads, self._library)
        except WavestepError as reason:  # there is no compiler, or it fails
            self._native = False
            self._say(f"PyTorch generates for the training, slowly: {reason}")
            return None

    def _library(self, shapes: Shapes) -> Library:
        digest = shapes.digest()
        if digest not in self._libraries:
            self._libraries[digest] = self._compiled(shapes)
        return self._libraries[digest]


def generate(
    model: WaveNet,
    conditions: Mapping[str, Values],
    streams: int,
    steps: int,
    seed: int = 0,
    frames: Frames | None = None,
    draw: Draw | None = None,
) -> Samples:
    """Samples (steps, B) of streams that start from silence, the same whoever draws them.

    frames: (F, B, C), enough for them. draw: by default the network's own steps. Raises
    WavestepError where frames are missing.
    """
    head = model.spec.output
    draw = draw or stepped(model, streams)
    blocks = _blocks(model, conditions, streams, frames)
    drawn = uniforms(seed, streams, steps, head.uniforms)
    samples = np.empty((steps, streams), head.sample_dtype)
    t = 0
    while t < steps:
        bias, count = blocks.next(min(BLOCK, steps - t))
        samples[t : t + count] = draw(bias, drawn[t : t + count])
        blocks.advance(samples[t : t + count])
        t += count
    return samples


def _blocks(
    model: WaveNet, conditions: Mapping[str, Values], streams: int, frames: Frames | None
) -> ConditionedBlocks:
    """The bias of streams from their first sample on."""
    conditioner = Conditioner(model.spec, canonical_weights(model, WHERE))
    blocks = ConditionedBlocks(conditioner, model.spec, streams)
    blocks.reset(None, conditions)
    if frames is not None:
        blocks.push(frames, last=True)
    return blocks


def stepped(model: WaveNet, streams: int) -> Draw:
    """`WaveNet.step`, one sample after another."""
    head, device = model.spec.output, model.input.bias.device
    params = np.empty((streams, head.params), np.float32)
    pick = head.drawer(params, inverse_temperatures(1.0, streams))
    newest = np.full(streams, head.silence, head.sample_dtype)
    state = model.initial_state(streams)

    @torch.inference_mode()
    def draw(bias: Bias, drawn: NDArray[np.int32]) -> Samples:
        nonlocal state
        samples = np.empty((len(drawn), streams), head.sample_dtype)
        rows = None if bias is None else torch.from_numpy(bias).to(device)
        for i, each in enumerate(drawn):
            row = None if rows is None else rows[i * len(rows) // len(drawn)]
            known = torch.from_numpy(newest).to(device)
            found, state = model.step(known.long() if head.codes else known, row, state)
            params[:] = found.float().cpu().numpy()
            pick(each, newest)
            samples[i] = newest
        return samples

    return draw
