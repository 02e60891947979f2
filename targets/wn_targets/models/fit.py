"""Every engine's prediction on a target, and which one to choose there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.model.spec import ModelSpec
from wn_targets.devices.catalogue import TARGETS
from wn_targets.devices.target import Target
from wn_targets.models.prediction import Prediction
from wn_targets.models.registry import MODELS, ON_GPU

HOST = "x86-64-v3"
"""The target whose CPU is taken to be beside a graphics card: it sits in any host."""
MOST_COMPARED = 256
"""Streams up to which processors are compared."""


@dataclass(frozen=True)
class Fit:
    """What a model will do on one target."""

    target: Target
    sample_rate: int
    """Hz the model makes sound at."""
    candidates: tuple[Prediction, ...]
    """One for each engine and precision that can run there, the fastest that fits first."""

    @property
    def chosen(self) -> Prediction | None:
        """The fastest that fits; None where no engine does."""
        return next((c for c in self.candidates if c.fits), None)

    def real_time_factor(self, prediction: Prediction) -> float:
        """Seconds of sound made in a second, of each stream."""
        return prediction.samples_per_second / self.sample_rate


def fit(
    spec: ModelSpec,
    target: Target,
    streams: int = 1,
    native_precision: str = "int8",
    cuda_precision: str = "int8",
) -> Fit:
    """Predict every engine on `target`, for `streams` streams side by side.

    native_precision, cuda_precision: those engines' defaults for this model, beside fp32.
    """
    defaults = {NATIVE.name: native_precision, CUDA.name: cuda_precision}
    found = [
        prediction
        for engine, model in MODELS.items()
        for prediction in model(target, spec, streams, defaults.get(engine))
    ]
    found.sort(key=lambda p: (not p.fits, -p.samples_per_second))
    return Fit(target, spec.sample_rate, tuple(found))


def gpu_from(
    spec: ModelSpec,
    target: Target,
    native_precision: str = "int8",
    cuda_precision: str = "int8",
) -> int | None:
    """The fewest streams from which on an engine on the GPU is the one to choose.

    None where none is up to MOST_COMPARED.
    """
    if target.gpu is None:
        return None

    def on_gpu(streams: int) -> bool:
        chosen = fit(spec, target, streams, native_precision, cuda_precision).chosen
        return chosen is not None and chosen.engine in ON_GPU

    lowest, counted = MOST_COMPARED, 2 * target.cpu.cores if target.cpu is not None else 1
    if not on_gpu(lowest):
        return None
    while lowest > counted and on_gpu(lowest // 2):
        lowest //= 2
    return next(n for n in range(1, lowest + 1) if on_gpu(n) and _stays(on_gpu, n, counted))


def crossing(
    spec: ModelSpec,
    target: Target,
    native_precision: str = "int8",
    cuda_precision: str = "int8",
) -> str:
    """One line: which processor to choose for how many streams."""
    whole = hosted(target)
    where = target.name if whole is target else f"{target.name} in a host as {HOST}"
    found = gpu_from(spec, whole, native_precision, cuda_precision)
    if found is None:
        return f"{where}: the CPU for any number of streams"
    if found == 1:
        return f"{where}: the GPU for any number of streams"
    return f"{where}: the GPU from {found} streams on, the CPU for fewer"


def hosted(target: Target) -> Target:
    """A card with the CPU of HOST beside it; what has a CPU of its own as it is."""
    if target.cpu is not None:
        return target
    return dataclasses.replace(target, cpu=TARGETS[HOST].cpu)


def _stays(on_gpu: Callable[[int], bool], streams: int, counted: int) -> bool:
    """Whether no more streams, up to so many, are a CPU's again."""
    return all(on_gpu(n) for n in range(streams, counted + 1))
