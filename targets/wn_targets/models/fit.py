"""Every engine's prediction on a target, and which one to choose there."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.devices.jetpack import JETPACKS
from wn_targets.devices.target import Target
from wn_targets.models import cpu as cpu_model
from wn_targets.models import gpu as gpu_model
from wn_targets.models.prediction import Prediction

OLDEST_PLAN_SM = 70
"""TensorRT 10.3 takes compute capability 7.0 and newer (later releases 7.5)."""


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


def runs_plans(target: Target) -> bool:
    """Whether a TensorRT of 10.3 or newer exists for the target's GPU."""
    if target.gpu is None:
        return False
    if target.family == "jetson":
        return any(JETPACKS[version].runs_plans for version in target.jetpacks)
    return target.gpu.sm >= OLDEST_PLAN_SM


def fit(
    spec: ModelSpec,
    target: Target,
    streams: int = 1,
    native_precision: str = "int8",
) -> Fit:
    """Predict every engine on `target`, for `streams` streams side by side.

    native_precision: the native engine's own default (`Manifest.default_precision`), beside fp32.
    On a CPU, streams are spread over the cores, and those of one core take turns.
    """
    work = Work.of(spec)
    found: list[Prediction] = []
    if target.cpu is not None:
        share = math.ceil(streams / target.cpu.cores)  # streams that one core makes in turn
        memory = target.memory_gb
        for prediction in (
            *(
                cpu_model.native(target.cpu, work, precision, memory)
                for precision in sorted({"fp32", native_precision})
            ),
            cpu_model.onnx(target.cpu, work, memory),
        ):
            terms = {name: us * share for name, us in prediction.terms.items()}
            found.append(dataclasses.replace(prediction, terms=terms, streams=streams))
    if target.gpu is not None and runs_plans(target):
        precision = "fp16" if "fp16" in target.gpu.precisions else "fp32"
        found.append(gpu_model.tensorrt(target, target.gpu, work, precision, streams))
    found.sort(key=lambda p: (not p.fits, -p.samples_per_second))
    return Fit(target, spec.sample_rate, tuple(found))
