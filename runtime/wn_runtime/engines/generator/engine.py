"""The generator graph on ONNX Runtime: a call of the graph makes a whole block of samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.engine import threads_note
from wn_runtime.engines.generator.signature import KNOWN, POSTPROCESS, GeneratorSignature
from wn_runtime.engines.onnx.lanes import LanesEngine, threads_stayed_behind
from wn_runtime.engines.onnx.pace import most_seconds
from wn_runtime.engines.onnx.watch import Watch
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.heads.softmax import NOT_NUMBERS
from wn_runtime.model.layout import initial
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import State


class GeneratorEngine(LanesEngine["_Lane"]):
    """B streams through a generator graph of b."""

    GRAPH = "the generator graph"

    def __init__(
        self, session: Any, spec: ModelSpec, width: int, batch: int, threads: int = 1
    ) -> None:
        """width: b, the streams of the session's graph."""
        self._watch = watch = Watch()
        signature = GeneratorSignature.of(spec, width)
        super().__init__(
            "generator",
            "fp32",
            spec,
            batch,
            threads_note(threads),
            width,
            lambda: _Lane(session, spec, signature, width, watch),
        )
        self.threads = threads

    def _forked(self) -> None:
        if self.threads > 1:
            raise threads_stayed_behind()
        self._watch.start()


class _Lane:
    """The streams of one call of the graph. The state is what the graph gave last."""

    def __init__(
        self, session: Any, spec: ModelSpec, signature: GeneratorSignature, width: int, watch: Watch
    ) -> None:
        self._session, self._spec, self._width, self._watch = session, spec, width, watch
        self._names = list(signature.outputs)
        self._no_filter = {
            f"state.{name}": np.zeros(width) for name in signature.carried if name == POSTPROCESS
        }  # streams have their own
        self._state = initial(spec, width)

    def generate(
        self, bias: Bias, uniforms: NDArray[np.int32], inverse: NDArray[np.float32]
    ) -> Samples:
        head = self._spec.output
        wide = inverse.astype(np.float64)
        temperature = np.divide(1, wide, out=np.zeros_like(wide), where=wide > 0)
        none = np.zeros((0, self._width), head.sample_dtype)
        samples, following = self._run(bias, uniforms, temperature, none, "samples")
        if not (samples >= 0 if head.codes is not None else np.isfinite(samples)).all():
            raise WavestepError(NOT_NUMBERS)
        self._state = following
        return samples

    def score(self, samples: Samples, bias: Bias) -> NDArray[np.float32]:
        uniforms = np.zeros((*samples.shape, self._spec.output.uniforms), np.int32)
        params, self._state = self._run(bias, uniforms, np.ones(self._width), samples, "params")
        return params

    def snapshot(self) -> State:
        return {name: array.copy() for name, array in self._state.items()}

    def restore(self, state: State) -> None:
        self._state = {name: np.ascontiguousarray(array) for name, array in state.items()}

    def _run(
        self,
        bias: Bias,
        uniforms: NDArray[np.int32],
        temperature: NDArray[np.float64],
        known: Samples,
        made: str,
    ) -> tuple[NDArray[Any], State]:
        """The output called `made`, and the state after it."""
        feeds: Mapping[str, Any] = {
            "uniforms": uniforms,
            "temperature": temperature,
            KNOWN: known,
            **{f"state.{name}": array for name, array in self._state.items()},
            **self._no_filter,
            **({} if bias is None else {"bias": np.asarray(bias, np.float32)}),
        }
        steps = len(uniforms)
        seconds = most_seconds(self._spec, self._width, steps)
        with self._watch.within(seconds, "the generator graph") as options:
            arrays = self._session.run(self._names, feeds, options)
        outputs = dict(zip(self._names, arrays, strict=True))
        found: NDArray[Any] = outputs[made]
        return found, {name: outputs[f"next.{name}"] for name in self._state}
