"""TensorBoard: scalars, and audio with its spectrogram for each condition's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.spec import ModelSpec
from wn_train.config import TrainingConfig
from wn_train.network.wavenet import WaveNet
from wn_train.training.events import Events
from wn_train.training.generate import generate

SCALARS_EVERY = 20
"""Steps between training scalars."""
STREAMS = 8
"""Audio samples made at a time: the values of the first condition, as many as fit."""


class Tracker:
    """Writes one run's events into its directory."""

    def __init__(
        self,
        run: Path,
        spec: ModelSpec,
        settings: TrainingConfig,
        clips: Sequence[Mapping[str, Any]],
        say: Callable[[str], None],
    ) -> None:
        """clips: held-back ones, whose frames condition what is generated."""
        self._clips = clips
        self._events = Events(run / "tensorboard", say)
        self._spec, self._settings = spec, settings

    def step(self, step: int, bits: float, norm: float, rate: float) -> None:
        """Scalars of a training step."""
        if step % SCALARS_EVERY == 0:
            self._events.scalar("train/bits_per_sample", bits, step)
            self._events.scalar("train/gradient_norm", norm, step)
            self._events.scalar("train/learning_rate", rate, step)

    def validation(self, step: int, bits: float, bits_16: float) -> None:
        """Bits per sample on the validation split."""
        self._events.scalar("valid/bits_per_sample", bits, step)
        self._events.scalar("valid/bits_per_16_bit_sample", bits_16, step)

    def samples(self, step: int, model: WaveNet) -> None:
        """Generated audio and spectrograms, one for each value of the first condition."""
        rows = self._rows()
        steps = max(1, int(self._settings.sample_seconds * self._spec.sample_rate))
        conditions = {name: [row[name] for row in rows] for name in rows[0]}
        seed, frames = self._settings.seed, self._frames(model, len(rows), steps)
        audio = generate(model, conditions, len(rows), steps, seed, frames)
        for i, row in enumerate(rows):
            label = " ".join(f"{k}={v}" for k, v in row.items()) or "unconditional"
            wave = audio[:, i].copy()
            self._events.audio(f"audio/{label}", wave, self._spec.sample_rate, step)
            picture = spectrogram(torch.from_numpy(wave))
            self._events.image(f"spectrogram/{label}", picture.numpy(), step)

    def close(self) -> None:
        """Nothing more will come."""
        self._events.close()

    def _frames(self, model: WaveNet, streams: int, steps: int) -> NDArray[np.float32] | None:
        """Those of held-back clips, one after the other, (F, B, C); None for a model without."""
        timing = Timing.of(self._spec.conditioning)
        if not timing.frame_channels:
            return None
        frames = np.tile(model.padding(), (timing.frames(steps), streams, 1))
        for stream in range(streams if self._clips else 0):
            given = np.asarray(self._clips[stream % len(self._clips)]["frames"])[: len(frames)]
            frames[: len(given), stream] = given
        return frames

    def _rows(self) -> list[dict[str, str]]:
        """Value i of the first condition with value i of every other."""
        conditions = self._spec.conditions
        count = min(STREAMS, len(conditions[0].values)) if conditions else 1
        return [{c.name: c.values[i % len(c.values)] for c in conditions} for i in range(count)]


def spectrogram(wave: torch.Tensor) -> torch.Tensor:
    """A (T,) wave to a (129, frames) picture: magnitudes from -80 dB (0) to the peak (1)."""
    window = torch.hann_window(256)
    magnitude = torch.stft(
        wave, 256, 64, window=window, pad_mode="constant", return_complex=True
    ).abs()
    level = 20 * torch.log10(magnitude / magnitude.max().clamp(min=1e-9) + 1e-4)
    return (level / 80 + 1).clamp(0, 1).flip(0)
