"""What every engine does: the protocol, the state that any can take over, and how one is opened.

Arrays are NumPy, streams on axis B. `bias` is the conditioning of the gates as the conditioner
makes it: (P, L, B, G) float32 for a block of P samples, (1, L, B, G) where it is constant over
the block, or None for a model without conditions.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.model.spec import ModelSpec

Bias = NDArray[np.float32] | None


@dataclass(frozen=True)
class State:
    """A stream's memory, in no engine's own layout: a stream begun in one goes on in another."""

    samples: NDArray[np.int32]
    """(k0, B): the newest classes, oldest first."""
    lines: NDArray[np.float32]
    """((k-1) * sum(d), B, R): layer by layer, its newest (k-1)*d inputs, oldest first."""

    def check(self, spec: ModelSpec, streams: int) -> None:
        """Raise WavestepError unless this is a state of that model and number of streams."""
        expected = ((spec.input_kernel, streams), (spec.state_rows, streams, spec.residual))
        if (self.samples.shape, self.lines.shape) != expected:
            raise WavestepError(
                f"the state has samples {self.samples.shape} and lines {self.lines.shape}; this "
                f"model with {streams} streams has {expected[0]} and {expected[1]}"
            )


def initial_state(spec: ModelSpec, streams: int) -> State:
    """The state of streams that have heard silence only: zero delay lines."""
    return State(
        samples=np.full((spec.input_kernel, streams), spec.silence, np.int32),
        lines=np.zeros((spec.state_rows, streams, spec.residual), np.float32),
    )


@runtime_checkable
class Engine(Protocol):
    """A model bound to B streams on one device. `generate` and `score` both move the state on."""

    name: str
    """`onnx`, `native`, `cuda` or `tensorrt`."""
    precision: str
    """`fp32`, `fp16`, `bf16` or `int8`."""
    spec: ModelSpec
    batch: int
    """B."""
    note: str
    """How it runs, for the line a command prints: `1 thread`, `CPUExecutionProvider`."""

    def generate(
        self, bias: Bias, uniforms: NDArray[np.float32], temperature: float = 1.0
    ) -> NDArray[np.int32]:
        """Continue every stream by P samples: uniforms (P, B) in [0, 1) -> classes (P, B)."""
        ...

    def score(self, samples: NDArray[np.int32], bias: Bias) -> NDArray[np.float32]:
        """Teacher forcing: samples (T, B) -> params (T, B, A), the prediction of each of them.

        Row t has seen the state and samples[:t]; afterwards the state has heard them all.
        """
        ...

    def snapshot(self) -> State:
        """A copy of the state, which later calls leave alone."""
        ...

    def restore(self, state: State) -> None:
        """Go on from `state`. Raises WavestepError when its shapes are another model's."""
        ...

    def reset(self, streams: Sequence[int] | None = None) -> None:
        """Back to silence: all streams, or those named."""
        ...

    def close(self) -> None:
        """Give back what the engine holds (memory, device); it cannot be used afterwards."""
        ...


def check_bias(spec: ModelSpec, streams: int, steps: int, bias: Bias) -> None:
    """Raise WavestepError unless `bias` conditions a block of `steps` samples of this model."""
    shape = (spec.layers, streams, spec.gate)
    if not spec.conditions:
        if bias is not None:
            raise WavestepError("this model has no conditions; its bias must be None")
    elif bias is None or bias.shape not in ((1, *shape), (steps, *shape)):
        found = "None" if bias is None else bias.shape
        raise WavestepError(f"bias is {found}; this block takes {(1, *shape)} or {(steps, *shape)}")


class EngineUnavailable(WavestepError):
    """An engine cannot run on this machine (library, compiler or device missing).

    The next one is tried, unless it was asked for by name. A broken file is not this: it is a
    plain WavestepError, and no engine may hide it.
    """


@dataclass(frozen=True)
class Request:
    """What `open_engine` asks of an engine's module."""

    engine: str
    """One of the names in `ENGINES`."""
    directory: Path
    manifest: Manifest
    artifact: Artifact | None
    """The file the user named, of this engine; None where the engine may choose."""
    precision: str | None
    """None: the engine's default for this model."""
    batch: int
    threads: int


@dataclass(frozen=True)
class _Kind:
    module: str
    """Has `open_engine(request: Request) -> Engine`; imported when its turn comes."""
    runs: str | None
    """The engine name of the artifacts that it runs; None: it is made from the weights."""
    automatic: bool = True
    """Taken without being named."""


ENGINES = {  # fastest first
    "native": _Kind("wn_runtime.engines.native.engine", runs=None),
    "tensorrt": _Kind("wn_runtime.engines.tensorrt.engine", runs="tensorrt"),
    "onnx": _Kind("wn_runtime.engines.onnx.engine", runs="onnx"),
    "onnx-cuda": _Kind("wn_runtime.engines.onnx.engine", runs="onnx", automatic=False),
    "onnx-cuda-loop": _Kind("wn_runtime.engines.tensorrt.engine", runs="onnx", automatic=False),
}
"""Every engine that `--engine` can name."""


def open_engine(
    path: str | Path,
    engine: str | None = None,
    precision: str | None = None,
    batch: int = 1,
    threads: int = 1,
    say: Callable[[str], None] = lambda reason: None,
) -> Engine:
    """Open a model directory, or one graph or plan in it, for `batch` streams from silence.

    Without `engine` the fastest that can run here is taken, and `say` gets one line for each
    faster one that could not. A file names its engine and precision. Raises WavestepError when
    what was asked for cannot be had: never another engine or precision in its place.
    """
    for name, value in (("batch", batch), ("threads", threads)):
        if value < 1:
            raise WavestepError(f"{name} is {value}; it must be at least 1")
    directory, file = manifests.locate(Path(path))
    manifest = manifests.read(directory)
    artifact = None
    if file is not None and file != manifests.MANIFEST:
        artifact = _named(manifest, Path(path))
        if engine in ENGINES and artifact.engine not in (engine, ENGINES[engine].runs):
            raise WavestepError(
                f"{path} is for the {artifact.engine} engine, not for {engine}; "
                f"name the directory to use {engine}"
            )
        if precision not in (None, artifact.precision):
            raise WavestepError(
                f"{path} is {artifact.precision}, not {precision}; name the directory to choose"
            )
        precision = artifact.precision
        engine = artifact.engine if engine is None else engine
    if engine is not None and engine not in ENGINES:
        raise WavestepError(unknown("engine", engine, ENGINES, "the engines are"))

    def request(name: str) -> Request:
        return Request(name, directory, manifest, artifact, precision, batch, threads)

    if engine is not None:
        return _open(request(engine))
    exported = {a.engine for a in manifest.artifacts if precision in (None, a.precision)}
    reasons = []
    for name, kind in ENGINES.items():
        if not kind.automatic or kind.runs not in (None, *exported):
            continue
        try:
            opened = _open(request(name))
        except EngineUnavailable as unavailable:
            reasons.append(f"{name}: {unavailable}")
            continue
        for reason in reasons:
            say(reason)
        return opened
    wanted = f" in {precision}" if precision else ""
    raise WavestepError(
        f"no engine can run {directory}{wanted}: "
        + ("; ".join(reasons) or "nothing was exported for one; export the model again")
    )


def _open(request: Request) -> Engine:
    module = importlib.import_module(ENGINES[request.engine].module)
    return cast(Engine, module.open_engine(request))


def _named(manifest: Manifest, path: Path) -> Artifact:
    for artifact in manifest.artifacts:
        if artifact.file == path.name:
            return artifact
    known = [artifact.file for artifact in manifest.artifacts]
    raise WavestepError(unknown("engine file", path.name, known, f"{path.parent} has"))
