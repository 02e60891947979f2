"""TensorBoard: scalars, and what the model says beside what was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_runtime import extras
from wn_runtime.features.features import Features
from wn_runtime.model.spec import ModelSpec
from wn_train.config import TrainingConfig
from wn_train.data.audio import Utterance
from wn_train.network.wavenet import WaveNet
from wn_train.training import pictures, samples
from wn_train.training.events import Events
from wn_train.training.generate import Generator
from wn_train.training.pace import Pace
from wn_train.training.samples import Sample

SCALARS_EVERY = 20
"""Steps between training scalars."""


class Tracker:
    """Writes one run's events into its directory."""

    def __init__(
        self,
        run: Path,
        spec: ModelSpec,
        settings: TrainingConfig,
        features: Features | None,
        validation: Sequence[Utterance],
        say: Callable[[str], None],
    ) -> None:
        """features: what the frames hold; None: nobody said. validation: what was held back."""
        self._events = Events(run / "tensorboard", say)
        self._spec, self._settings, self._say = spec, settings, say
        self._steps = max(1, int(settings.sample_seconds * spec.sample_rate))
        self._samples = samples.choose(validation, spec, self._steps)
        self._generator = Generator(say)
        self._features, self._begun = features, False

    def step(
        self, step: int, bits: float, norm: float, rate: float, epoch: int, pace: Pace
    ) -> None:
        """Scalars of a training step."""
        if step % SCALARS_EVERY == 0:
            self._events.scalar("train/bits_per_sample", bits, step)
            self._events.scalar("train/gradient_norm", norm, step)
            self._events.scalar("train/learning_rate", rate, step)
            self._events.scalar("train/epoch", epoch, step)
            self._events.scalar("train/steps_per_second", pace.steps_per_second, step)
            self._events.scalar("train/samples_per_second", pace.samples_per_second, step)

    def validation(self, step: int, bits: float, bits_16: float) -> None:
        """Bits per sample on the validation split."""
        self._events.scalar("valid/bits_per_sample", bits, step)
        self._events.scalar("valid/bits_per_16_bit_sample", bits_16, step)

    def samples(self, step: int, model: WaveNet) -> None:
        """Generated audio beside the recordings of the same conditions, with their pictures."""
        conditions = {
            condition.name: [each.conditions.get(condition.name) for each in self._samples]
            for condition in self._spec.conditions
        }
        frames = samples.frames_of(self._samples, self._spec, self._steps, model.padding())
        if not self._begun:
            self._generator.prepare(model, len(self._samples))
        began = time.perf_counter()
        made = self._generator.generate(
            model, conditions, len(self._samples), self._steps, self._settings.seed, frames
        )
        sound, took = made.size / self._spec.sample_rate, time.perf_counter() - began
        self._events.scalar("generated/times_real_time", sound / took, step)
        audio = self._spec.decode(made)
        if not self._begun:
            self._begin(step)
        for i, sample in enumerate(self._samples):
            wave = audio[:, i].copy()
            if sample.frames is not None and sample.recording is not None:
                wave = wave[: len(sample.recording)]
            self._sound(sample.label, wave, step)
            if self._features is not None and sample.frames is not None:
                self._compare(self._features, sample, wave, step)

    def close(self) -> None:
        """Nothing more will come."""
        self._events.close()

    def _begin(self, step: int) -> None:
        """What stays the same is written once: the recordings."""
        self._begun = True
        for sample in self._samples:
            if sample.recording is not None:
                wave = self._spec.decode(sample.recording[:, None])[:, 0]
                self._sound(f"{sample.label} ({pictures.GIVEN})", wave, step)

    def _sound(self, label: str, wave: NDArray[np.float32], step: int) -> None:
        self._events.audio(f"audio/{label}", wave, self._spec.sample_rate, step)
        try:
            picture = pictures.spectrogram_with_axes(wave, self._spec.sample_rate)
        except ImportError:
            self._events.image(f"spectrogram/{label}", pictures.spectrogram(wave), step)
        else:
            self._events.picture(f"spectrogram/{label}", picture, step)

    def _compare(
        self, features: Features, sample: Sample, wave: NDArray[np.float32], step: int
    ) -> None:
        """The frames of a sound beside those it was to follow, if that can be drawn here."""
        assert sample.frames is not None
        made = pictures.measurable(features)
        if made is None and not features.pitch:  # phones alone
            return
        try:
            if made is None:
                raise ImportError("no module named 'pyworld'")
            given = sample.frames[: -(-len(wave) // features.hop)]
            picture = pictures.compared(features, given, made, wave)
        except ImportError as error:
            self._features = None
            self._say(f"frames are not drawn in TensorBoard ({error}); {extras.install_features()}")
            return
        self._events.picture(f"frames/{sample.label}", picture, step)
