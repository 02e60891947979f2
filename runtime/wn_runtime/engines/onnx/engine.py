"""ONNX Runtime on the step graph: the portable engine, and the reference without torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.engine import threads_note
from wn_runtime.engines.onnx.delay_lines import DelayLines
from wn_runtime.engines.onnx.lanes import LanesEngine, threads_stayed_behind
from wn_runtime.engines.onnx.pace import check_pace
from wn_runtime.engines.onnx.session import CPU, telling
from wn_runtime.engines.step_signature import StepSignature
from wn_runtime.heads.head import Samples
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State


class OnnxEngine(LanesEngine["_Lane"]):
    """B streams through a step graph of b."""

    def __init__(
        self,
        session: Any,
        spec: ModelSpec,
        precision: str,
        width: int,
        batch: int,
        threads: int = 1,
        provider: str = CPU,
    ) -> None:
        """width: b, the streams of the session's graph."""
        name = "onnx" if provider == CPU else "onnx-cuda"
        note = threads_note(threads) if provider == CPU else provider
        signature = StepSignature.of(spec, precision, width)
        super().__init__(
            name, precision, spec, batch, note, width, lambda: _Lane(session, spec, signature)
        )
        self.threads = threads
        self._alone = provider == CPU and threads == 1
        if provider == CPU:
            silence = np.zeros((1, width), spec.output.sample_dtype)
            with telling("the step graph"):
                check_pace(lambda: self._lanes[0].score(silence, None), spec, width)
        self.reset()

    def _forked(self) -> None:
        if not self._alone:
            raise threads_stayed_behind()


class _Lane:
    """The streams of one call of the graph: its memory, bound once, and their state.

    `_steps` and the draw are all that happens for a sample, and neither allocates. Each numpy
    call counts: between two runs of the graph its code has left the caches, so it costs twice
    what a loop of its own would show.
    """

    def __init__(self, session: Any, spec: ModelSpec, signature: StepSignature) -> None:
        self._spec = spec
        memory = {name: np.zeros(each.shape, each.dtype) for name, each in signature.tensors()}
        self._sample, self._bias = memory["sample"], memory.get("bias")
        self._newest, self._params = self._sample[:, -1], memory["params"]
        self._streams = len(self._sample)
        self._lines = DelayLines(spec, self._streams, memory["past"].dtype)
        self._lines.bind(memory["past"], memory["present"])
        self._session = session
        self._binding = session.io_binding()
        for name in signature.inputs:
            array = memory[name]
            self._binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name in signature.outputs:
            array = memory[name]
            self._binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse: NDArray[np.float32]
    ) -> Samples:
        draw, newest = self._spec.output.drawer(self._params, inverse), self._newest
        drawn = np.empty((len(uniforms), self._streams), newest.dtype)
        for t in self._steps(len(uniforms), bias):
            draw(uniforms[t], newest)
            drawn[t] = newest
        return drawn

    def score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        params = np.empty((len(samples), *self._params.shape), np.float32)
        for t in self._steps(len(samples), bias):
            params[t] = self._params
            self._newest[...] = samples[t]
        return params

    def snapshot(self) -> State:
        return {SAMPLES: self._sample.T.copy(), DELAY_LINES: self._lines.snapshot()}

    def restore(self, state: State) -> None:
        self._sample[...] = state[SAMPLES].T
        self._lines.restore(state[DELAY_LINES])

    def _steps(self, steps: int, bias: Bias) -> Iterator[int]:
        """Run the graph `steps` times; whoever iterates puts each new sample into `_newest`."""
        read, write, shifts = self._lines.read, self._lines.write, self._spec.input_kernel > 1
        run, binding = self._session.run_with_iobinding, self._binding
        sample, bound = self._sample, self._bias
        held = 0  # samples of a row of bias; 0: one row for all
        if bias is not None and bound is not None and steps:
            bound[...] = bias[0]
            held = steps // len(bias) if len(bias) > 1 else 0
        for t in range(steps):
            if held and bias is not None and bound is not None and t % held == 0:
                bound[...] = bias[t // held]
            read()
            run(binding)
            write()
            if shifts:
                sample[:, :-1] = sample[:, 1:]
            yield t
