"""An independent listener of single words: which digit, and who says it.

Trained on real recordings alone. Placement, level of noise and playback speed are drawn anew each
time a recording is seen, and its ends are cut a little more or less than by energy.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.speech.listening import MELS, RATE, Wave, features, noisy, placed, played, trimmed

SECONDS, START_S = 1.0, 0.05
"""A clip's length, and where in it a word begins."""
EPOCHS, SIZE = 20, 64
_LATEST_S, _CUT_S = 0.2, 0.03
_SPEEDS = (0.93, 1.07)


class Recogniser(nn.Module):
    """Log-mel frames (B, MELS, T) to one set of logits for each head."""

    def __init__(self, classes: Mapping[str, int]) -> None:
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
            {name: nn.Linear(3 * widths[-1], count) for name, count in classes.items()}
        )

    def forward(self, frames: Tensor) -> dict[str, Tensor]:
        """Frames (B, MELS, T) -> logits (B, n) of each head."""
        h = F.dropout(self.body(frames), 0.1, self.training)
        # Three thirds in time: a word is an order of sounds, not only their sum.
        pooled = F.adaptive_max_pool1d(h, 3).flatten(1)
        return {name: head(pooled) for name, head in self.heads.items()}


def trained(waves: Sequence[Wave], labels: Mapping[str, Tensor], seed: int = 0) -> Recogniser:
    """One that knows what is said in these recordings; labels: a class each, for every head."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Recogniser({name: int(each.max()) + 1 for name, each in labels.items()})
    sounds = [trimmed(wave) for wave in waves]
    steps = EPOCHS * -(-len(sounds) // SIZE)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(EPOCHS):
        order = rng.permutation(len(sounds))
        for start in range(0, len(order), SIZE):
            chosen = order[start : start + SIZE]
            clips = np.stack([_varied(sounds[i], rng) for i in chosen])
            outputs = model(features(torch.from_numpy(clips)))
            losses = [
                F.cross_entropy(outputs[name], each[chosen], label_smoothing=0.05)
                for name, each in labels.items()
            ]
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(losses).sum())
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def heard(model: Recogniser, waves: Sequence[Wave]) -> dict[str, Tensor]:
    """The classes (n,) of each head that it hears in waves, trimmed and placed."""
    clips = [placed(trimmed(wave), round(START_S * RATE), round(SECONDS * RATE)) for wave in waves]
    parts = [model(features(torch.from_numpy(np.stack(part)))) for part in _batches(clips)]
    return {name: torch.cat([part[name].argmax(1) for part in parts]) for name in parts[0]}


def _varied(sound: Wave, rng: np.random.Generator) -> Wave:
    most = min(round(_CUT_S * RATE), len(sound) // 8)
    start, end = rng.integers(0, most + 1, 2)
    word = played(sound[start : len(sound) - end], rng.uniform(*_SPEEDS))
    offset = int(rng.integers(0, round(_LATEST_S * RATE)))
    return noisy(placed(word, offset, round(SECONDS * RATE)), rng)


def _batches(clips: Sequence[Wave], size: int = 100) -> list[Sequence[Wave]]:
    return [clips[i : i + size] for i in range(0, len(clips), size)]
