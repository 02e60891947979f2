"""ONNX Runtime on the step graph: the portable engine, and the reference without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.engine import Bias, Engine, EngineUnavailable, Request, State, check_bias
from wn_runtime.engines.onnx.delay_lines import DelayLines
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.sampling import sampler_of

_TYPES: dict[str, np.dtype[Any]] = {"fp32": np.dtype(np.float32), "fp16": np.dtype(np.float16)}
_PROVIDERS = {"onnx": "CPUExecutionProvider", "onnx-cuda": "CUDAExecutionProvider"}


def open_engine(request: Request) -> Engine:
    """The engine for a request. Raises EngineUnavailable without ONNX Runtime or its provider."""
    artifact = request.artifact or _choose(request)
    if artifact.precision not in _TYPES:
        raise WavestepError(
            f"{artifact.file} has precision {artifact.precision}; the onnx engine runs "
            f"{' and '.join(_TYPES)}"
        )
    if artifact.steps_per_call != 1:
        raise WavestepError(
            f"{artifact.file} makes {artifact.steps_per_call} samples a call, for other hosts; "
            "name the directory or step.onnx"
        )
    path = request.directory / artifact.file
    manifests.verify(request.directory, request.manifest, artifact.file)
    session = _session(path.read_bytes(), str(path), request)
    _check_signature(session, request.manifest.spec, artifact, str(path))
    return OnnxEngine(session, request.manifest.spec, artifact, request)


class OnnxEngine:
    """B streams through a graph of b: in turn, b at a time, where B is the larger."""

    def __init__(self, session: Any, spec: ModelSpec, artifact: Artifact, request: Request) -> None:
        self.name = request.engine
        self.precision = artifact.precision
        self.spec = spec
        self.batch = request.batch
        self.note = f"{request.threads} thread{'s' * (request.threads != 1)}"
        if request.engine == "onnx-cuda":
            self.note = _PROVIDERS[request.engine]
        self._width = artifact.batch
        self._lanes = [
            _Lane(session, spec, artifact) for _ in range(-(-request.batch // artifact.batch))
        ]

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.int32]:
        """See `Engine.generate`."""
        check_bias(self.spec, self.batch, len(uniforms), bias)
        uniforms = self._padded(uniforms, axis=1)
        bias = self._padded(bias, axis=2)
        parts = [
            lane.generate(None if bias is None else bias[:, :, own], uniforms[:, own], temperature)
            for lane, own in self._each()
        ]
        return np.concatenate(parts, axis=1)[:, : self.batch]

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        """See `Engine.score`."""
        check_bias(self.spec, self.batch, len(samples), bias)
        samples = self._padded(samples, axis=1)
        bias = self._padded(bias, axis=2)
        parts = [
            lane.score(samples[:, own], None if bias is None else bias[:, :, own])
            for lane, own in self._each()
        ]
        return np.concatenate(parts, axis=1)[:, : self.batch]

    def snapshot(self) -> State:
        """See `Engine.snapshot`."""
        samples = np.concatenate([lane.samples for lane in self._lanes], axis=1)
        lines = np.concatenate([lane.lines.snapshot() for lane in self._lanes], axis=1)
        return State(samples[:, : self.batch].copy(), lines[:, : self.batch].copy())

    def restore(self, state: State) -> None:
        """See `Engine.restore`."""
        state.check(self.spec, self.batch)
        samples = self._padded(state.samples, axis=1)
        lines = self._padded(state.lines, axis=1)
        for lane, own in self._each():
            lane.samples[...] = samples[:, own]
            lane.lines.restore(lines[:, own])

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """See `Engine.reset`."""
        for stream in range(self.batch) if streams is None else streams:
            lane, own = self._lanes[stream // self._width], stream % self._width
            lane.samples[:, own] = self.spec.silence
            lane.lines.reset([own])

    def close(self) -> None:
        """See `Engine.close`."""
        self._lanes.clear()

    def _each(self) -> list[tuple[_Lane, slice]]:
        return [
            (lane, slice(i * self._width, (i + 1) * self._width))
            for i, lane in enumerate(self._lanes)
        ]

    def _padded(self, array: Any, axis: int) -> Any:
        """Zeros for the streams that fill up the last lane."""
        missing = len(self._lanes) * self._width - self.batch
        if array is None or not missing:
            return array
        widths = [(0, missing if i == axis else 0) for i in range(array.ndim)]
        return np.pad(array, widths)


class _Lane:
    """The streams of one call of the graph: its memory, bound once, and their state.

    `_steps` and the draw are all that happens for a sample, and neither allocates. Each numpy
    call counts: between two runs of the graph its code has left the caches, so it costs twice
    what a loop of its own would show.
    """

    def __init__(self, session: Any, spec: ModelSpec, artifact: Artifact) -> None:
        own = _TYPES[artifact.precision]
        self._spec, self._streams = spec, artifact.batch
        memory = {
            name: np.zeros(shape, np.int32 if name == "sample" else own)
            for name, shape in _inputs(spec, self._streams).items()
        }
        self._sample, self._bias = memory["sample"], memory.get("bias")
        self._sample[...] = spec.silence
        self._newest = self._sample[:, -1]
        self._params = np.zeros((self._streams, spec.classes), np.float32)
        present = np.zeros((spec.layers, self._streams, spec.residual), own)
        self.lines = DelayLines(spec, self._streams, own)
        self.lines.bind(memory["past"], present)
        self._session = session
        self._binding = session.io_binding()
        for name, array in memory.items():
            self._binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name, array in (("params", self._params), ("present", present)):
            self._binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    @property
    def samples(self) -> NDArray[np.int32]:
        """(k0, b), as in `State.samples`; a view."""
        return self._sample.T

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float
    ) -> NDArray[np.int32]:
        draw, newest = sampler_of(self._params, temperature), self._newest
        drawn = np.empty((len(uniforms), self._streams), np.int32)
        for t in self._steps(len(uniforms), bias):
            draw(uniforms[t], newest)
            drawn[t] = newest
        return drawn

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        params = np.empty((len(samples), *self._params.shape), np.float32)
        for t in self._steps(len(samples), bias):
            params[t] = self._params
            self._newest[...] = samples[t]
        return params

    def _steps(self, steps: int, bias: Bias) -> Iterator[int]:
        """Run the graph `steps` times; whoever iterates puts each new sample into `_newest`."""
        read, write, shifts = self.lines.read, self.lines.write, self._spec.input_kernel > 1
        run, binding, sample, bound = (
            self._session.run_with_iobinding, self._binding, self._sample, self._bias
        )  # fmt: skip
        changing = None if bias is None or len(bias) == 1 else bias
        if bound is not None and bias is not None:
            bound[...] = bias[0]
        for t in range(steps):
            if changing is not None and bound is not None:
                bound[...] = changing[t]
            read()
            run(binding)
            write()
            if shifts:
                sample[:, :-1] = sample[:, 1:]
            yield t


def _inputs(spec: ModelSpec, streams: int) -> dict[str, tuple[int, ...]]:
    """Name to shape of the step graph's inputs."""
    table: dict[str, tuple[int, ...]] = {
        "sample": (streams, spec.input_kernel),
        "past": (spec.layers, spec.kernel - 1, streams, spec.residual),
    }
    if spec.conditions:
        table["bias"] = (spec.layers, streams, spec.gate)
    return table


def _choose(request: Request) -> Artifact:
    """The step graph of this precision that needs the fewest calls for the batch."""
    graphs = [a for a in request.manifest.artifacts if a.engine == "onnx" and a.steps_per_call == 1]
    precision = request.precision or "fp32"
    fitting = [a for a in graphs if a.precision == precision]
    if precision not in _TYPES:
        raise WavestepError(
            f"the onnx engine has no {precision}; its precisions are {', '.join(_TYPES)}"
        )
    if not fitting:
        have = ", ".join(sorted({a.precision for a in graphs})) or "no step graph"
        raise WavestepError(
            f"{request.directory} has no {precision} step graph (it has {have}); export it with "
            f"wn-export{' --fp16' * (precision == 'fp16')}"
        )
    return min(fitting, key=lambda a: (-(-request.batch // a.batch), a.batch))


def _session(graph: bytes, where: str, request: Request) -> Any:
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise EngineUnavailable(
            f"ONNX Runtime cannot be imported ({error}); pip install 'wavestep[onnx]'"
        ) from error
    provider = _PROVIDERS[request.engine]
    if provider not in ort.get_available_providers():
        raise EngineUnavailable(
            f"ONNX Runtime here has no {provider}; pip install 'wavestep[gpu]' in an environment "
            "without onnxruntime"
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = request.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its complaints come as exceptions
    # Not session.set_denormal_as_zero: it would change the caller's own arithmetic for good.
    try:
        session = ort.InferenceSession(graph, options, providers=[provider])
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        reason = str(error).strip().splitlines()[-1]
        raise WavestepError(
            f"ONNX Runtime {ort.__version__} cannot load {where} ({reason}); export the model again"
        ) from error
    if provider not in session.get_providers():  # ONNX Runtime falls back without an exception
        raise EngineUnavailable(f"ONNX Runtime could not start {provider} (no device or driver?)")
    return session


def _check_signature(session: Any, spec: ModelSpec, artifact: Artifact, where: str) -> None:
    """Raise WavestepError unless the graph's inputs and outputs are those of the contract."""
    own = f"tensor({'float16' if artifact.precision == 'fp16' else 'float'})"
    streams = artifact.batch
    inputs = _inputs(spec, streams)
    expected = {name: (list(shape), own) for name, shape in inputs.items()}
    expected["sample"] = (list(inputs["sample"]), "tensor(int32)")
    expected["params"] = ([streams, spec.classes], "tensor(float)")
    expected["present"] = ([spec.layers, streams, spec.residual], own)
    found = {
        value.name: (value.shape, value.type)
        for value in [*session.get_inputs(), *session.get_outputs()]
    }
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            raise WavestepError(
                f"{where}: {name} is {found.get(name, 'absent')}, this model's step graph has "
                f"{expected.get(name, 'no such input')}; export the model again"
            )
