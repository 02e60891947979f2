"""Every engine's prediction on a target, and which one to choose there."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.devices.target import Target
from wn_targets.models.prediction import Prediction
from wn_targets.models.registry import MODELS


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
) -> Fit:
    """Predict every engine on `target`, for `streams` streams side by side.

    native_precision: the native engine's default for this model, beside fp32.
    """
    work = Work.of(spec)
    defaults = {NATIVE.name: native_precision}
    found = [
        prediction
        for engine, model in MODELS.items()
        for prediction in model(target, work, streams, defaults.get(engine))
    ]
    found.sort(key=lambda p: (not p.fits, -p.samples_per_second))
    return Fit(target, spec.sample_rate, tuple(found))
