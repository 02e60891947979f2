"""Whether an independent listener hears the digit and the speaker that were asked for.

    python bench/recognise.py DATA MODEL [--clips 4] [--temperature 1.0]

Trains a small convolutional recogniser on the real recordings of DATA's `train` split (metadata
with columns speaker and digit), states its accuracy on the real `valid` split, then on clips that
MODEL generates for every speaker and digit. It never sees a generated clip in training.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

import wn_runtime
from wn_runtime.conditioning.spec import Condition
from wn_train.data import corpus

RATE, SECONDS, MELS, WINDOW, HOP = 8000, 1.0, 40, 256, 80
HEADS = ("speaker", "digit")


class Recogniser(nn.Module):
    """Log-mel frames (B, 40, T) to one set of logits for each head."""

    def __init__(self, conditions: dict[str, Condition]) -> None:
        super().__init__()
        widths = [MELS, 96, 128, 160]
        self.body = nn.Sequential(
            *(
                layer
                for i, o in itertools.pairwise(widths)
                for layer in (nn.Conv1d(i, o, 5, stride=2), nn.BatchNorm1d(o), nn.ReLU())
            )
        )
        self.heads = nn.ModuleDict(
            {name: nn.Linear(3 * widths[-1], len(conditions[name].values)) for name in HEADS}
        )

    def forward(self, frames: Tensor) -> dict[str, Tensor]:
        """Frames (B, MELS, T) -> logits (B, n) of each head."""
        h = F.dropout(self.body(frames), 0.1, self.training)
        # Three thirds in time: a word is an order of sounds, not only their sum.
        pooled = F.adaptive_max_pool1d(h, 3).flatten(1)
        return {name: head(pooled) for name, head in self.heads.items()}


def mel_matrix() -> Tensor:
    """Triangular filters on the mel scale, (bins, MELS)."""
    hertz = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, MELS + 2) / 2595) - 1)
    rise = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.maximum(0, np.minimum(rise, fall)).astype(np.float32))


def features(waves: Tensor) -> Tensor:
    """(B, T) waves to level-free log-mel frames (B, MELS, frames)."""
    window = torch.hann_window(WINDOW)
    power = torch.stft(waves, WINDOW, HOP, window=window, return_complex=True).abs() ** 2
    mel = (power.transpose(1, 2) @ mel_matrix()).transpose(1, 2)
    level = mel.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    return (mel / level + 1e-5).log() / 4 + 1.5


def place(wave: NDArray[np.float32], offset: int) -> NDArray[np.float32]:
    """A clip of SECONDS with the wave in it from `offset` on."""
    clip = np.zeros(int(RATE * SECONDS), np.float32)
    part = wave[: len(clip) - offset]
    clip[offset : offset + len(part)] = part
    return clip


def train_recogniser(
    waves: list[NDArray[np.float32]], labels: dict[str, Tensor], conditions: dict[str, Condition]
) -> Recogniser:
    """Random placement, level-dependent noise and playback speed keep it from being brittle."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = Recogniser(conditions)
    epochs, size = 20, 64
    steps = epochs * (len(waves) // size + 1)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(epochs):
        order = rng.permutation(len(waves))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            clips = []
            for i in chosen:
                wave = waves[i]
                speed = rng.uniform(0.93, 1.07)
                at = np.arange(0, len(wave) - 1, speed)
                wave = np.interp(at, np.arange(len(wave)), wave).astype(np.float32)
                clip = place(wave, int(rng.integers(0, 1600)))
                noise = rng.normal(0, 1, len(clip)) * np.abs(wave).max() * 10 ** rng.uniform(-4, -1)
                clips.append(clip + noise.astype(np.float32))
            outputs = model(features(torch.from_numpy(np.stack(clips))))
            losses = [
                F.cross_entropy(outputs[n], labels[n][chosen], label_smoothing=0.05) for n in HEADS
            ]
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(losses).sum())
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def hear(model: Recogniser, waves: list[NDArray[np.float32]]) -> dict[str, Tensor]:
    """The classes heard in each wave."""
    clips = torch.from_numpy(np.stack([place(wave, 400) for wave in waves]))
    return {name: logits.argmax(1) for name, logits in model(features(clips)).items()}


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--clips", default=4, show_default=True, help="Clips of each speaker and digit.")
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--engine", help="As in wn-run.")
def main(data: Path, model: Path, clips: int, temperature: float, engine: str | None) -> None:
    """Recognise what MODEL says, with a recogniser trained on DATA."""
    found = corpus.read(data, HEADS)
    conditions = {c.name: c for c in found.conditions}

    def of(split: str) -> tuple[list[NDArray[np.float32]], dict[str, Tensor]]:
        rows = [r for r in found.recordings if r.split == split]
        waves = [soundfile.read(r.path, dtype="float32")[0] for r in rows]
        labels = {
            n: torch.tensor([conditions[n].values.index(r.values[n]) for r in rows]) for n in HEADS
        }
        return waves, labels

    recogniser = train_recogniser(*of("train"), conditions)
    waves, labels = of("valid")
    report("real recordings (valid)", hear(recogniser, waves), labels)

    voice = wn_runtime.open(model, engine=engine)
    made: list[NDArray[np.float32]] = []
    asked: dict[str, list[int]] = {name: [] for name in HEADS}
    for speaker in range(len(conditions["speaker"].values)):
        for digit in range(len(conditions["digit"].values)):
            names: dict[str, Any] = {
                "speaker": conditions["speaker"].values[speaker],
                "digit": conditions["digit"].values[digit],
            }
            for clip in range(clips):
                stream = voice.stream(seed=1000 * digit + clip, temperature=temperature, **names)
                made.append(stream.read(int(0.9 * RATE))[:, 0])
                asked["speaker"].append(speaker)
                asked["digit"].append(digit)
    wanted = {name: torch.tensor(values) for name, values in asked.items()}
    heard = hear(recogniser, made)
    report(f"generated, temperature {temperature}", heard, wanted)
    for name in HEADS:
        for i, value in enumerate(conditions[name].values):
            mine = wanted[name] == i
            share = (heard[name][mine] == i).float().mean()
            print(f"  {name} {value}: {100 * share:.0f} %")


def report(what: str, heard: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """One line of accuracies."""
    shares = [f"{n} {100 * (heard[n] == wanted[n]).float().mean():.1f} %" for n in HEADS]
    print(f"{what}, {len(wanted['digit'])} clips: {', '.join(shares)}")


if __name__ == "__main__":
    main()
