"""TensorBoard: scalars, and audio with its spectrogram for each condition's values."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter

from wn_runtime.model.spec import ModelSpec
from wn_train.config import TrainingConfig
from wn_train.data.chunks import encode
from wn_train.network.wavenet import WaveNet
from wn_train.training.generate import generate

SCALARS_EVERY = 20
"""Steps between training scalars."""
STREAMS = 8
"""Audio samples made at a time: the values of the first condition, as many as fit."""


class Tracker:
    """Writes one run's events into its directory."""

    def __init__(self, run: Path, spec: ModelSpec, plan: TrainingConfig) -> None:
        self._writer = SummaryWriter(str(run / "tensorboard"))
        self._spec, self._plan = spec, plan

    def step(self, step: int, bits: float, norm: float, rate: float) -> None:
        """Scalars of a training step."""
        if step % SCALARS_EVERY == 0:
            self._writer.add_scalar("train/bits_per_sample", bits, step)
            self._writer.add_scalar("train/gradient_norm", norm, step)
            self._writer.add_scalar("train/learning_rate", rate, step)

    def validation(self, step: int, bits: float) -> None:
        """Bits per sample on the validation split."""
        self._writer.add_scalar("valid/bits_per_sample", bits, step)
        self._writer.flush()

    def samples(self, step: int, model: WaveNet) -> None:
        """Generated audio and spectrograms, one for each value of the first condition."""
        rows = self._rows()
        steps = int(self._plan.sample_seconds * self._spec.sample_rate)
        device = model.input_bias.device
        conditions = {k: v.to(device) for k, v in encode(rows, self._spec).items()}
        audio = generate(model, conditions, len(rows), steps, seed=self._plan.seed)
        for i, row in enumerate(rows):
            label = " ".join(f"{k}={v}" for k, v in row.items()) or "unconditional"
            wave = torch.from_numpy(audio[:, i].copy())
            self._writer.add_audio(f"audio/{label}", wave, step, self._spec.sample_rate)
            self._writer.add_image(f"spectrogram/{label}", spectrogram(wave), step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _rows(self) -> list[dict[str, str]]:
        """Value i of the first condition with value i of every other."""
        conditions = self._spec.conditions
        count = min(STREAMS, len(conditions[0].values)) if conditions else 1
        return [{c.name: c.values[i % len(c.values)] for c in conditions} for i in range(count)]


def spectrogram(wave: torch.Tensor) -> torch.Tensor:
    """A (T,) wave to a (1, 129, frames) picture: magnitudes from -80 dB (0) to the peak (1)."""
    window = torch.hann_window(256)
    magnitude = torch.stft(
        wave, 256, 64, window=window, pad_mode="constant", return_complex=True
    ).abs()
    level = 20 * torch.log10(magnitude / magnitude.max().clamp(min=1e-9) + 1e-4)
    return (level / 80 + 1).clamp(0, 1).flip(0)[None]
