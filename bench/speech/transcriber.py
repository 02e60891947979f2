"""An independent listener of strings of digits, which knows nothing of when each is said.

A convolutional network over log-mel frames with connectionist temporal classification (Graves et
al., 2006), trained on strings made of real recordings of single digits, one speaker each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.speech.listening import HOP, MELS, RATE, Wave, features, noisy, played, trimmed

CLASSES = 11
"""The blank, then the ten digits."""
GAP_S, EDGE_S = (0.02, 0.3), (0.05, 0.3)
"""Seconds of quiet noise between two words, and at both ends."""
STEPS, SIZE, LENGTHS = 600, 24, (2, 7)
"""Batches, strings of each, digits of a string."""
_LEVELS_DB = 4.0
"""By how much words of a string are louder or quieter, either way."""
_SPEEDS = (0.9, 1.1)
_WIDTH, _DILATIONS = 128, (1, 2, 4)
_STRIDE = 4
"""Frames that the network makes one of: 40 ms."""


class Transcriber(nn.Module):
    """Log-mel frames (B, MELS, T) to log probabilities (B, T / 4, CLASSES)."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Sequential(
            nn.Conv1d(MELS, _WIDTH, 5, stride=2, padding=2), nn.BatchNorm1d(_WIDTH), nn.ReLU(),
            nn.Conv1d(_WIDTH, _WIDTH, 5, stride=2, padding=2), nn.BatchNorm1d(_WIDTH), nn.ReLU(),
        )  # fmt: skip
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(_WIDTH, _WIDTH, 5, padding=2 * dilation, dilation=dilation),
                nn.BatchNorm1d(_WIDTH),
                nn.ReLU(),
                nn.Dropout(0.1),
            )
            for dilation in _DILATIONS
        )
        self.exit = nn.Conv1d(_WIDTH, CLASSES, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (B, MELS, T) -> (B, ceil(T / 4), CLASSES)."""
        h = self.entry(frames)
        for layer in self.layers:
            h = h + layer(h)
        logits: Tensor = self.exit(h)
        return logits.transpose(1, 2).log_softmax(2)


def joined(words: Sequence[Wave], rng: np.random.Generator) -> Wave:
    """Words one after the other, alike in level but for some dB, quiet noise over all."""
    pieces = [_silence(EDGE_S, rng)]
    for number, word in enumerate(words):
        if number:
            pieces.append(_silence(GAP_S, rng))
        power = max(float(np.sqrt((word**2).mean())), 1e-9)
        gain = 10 ** (rng.uniform(-_LEVELS_DB, _LEVELS_DB) / 20)
        pieces.append(word * np.float32(gain / power))
    return noisy(np.concatenate([*pieces, _silence(EDGE_S, rng)]), rng)


def trained(words: Sequence[Sequence[tuple[Wave, int]]], seed: int = 0) -> Transcriber:
    """One that has heard strings of these: each speaker's words, with the digit that each is."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    sounds = [[(trimmed(wave), digit) for wave, digit in speaker] for speaker in words]
    model = Transcriber()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=STEPS)
    for _ in range(STEPS):
        waves, said = [], []
        for _ in range(SIZE):
            speaker = sounds[rng.integers(len(sounds))]
            chosen = rng.integers(0, len(speaker), rng.integers(LENGTHS[0], LENGTHS[1] + 1))
            speed = rng.uniform(*_SPEEDS)
            waves.append(joined([played(speaker[i][0], speed) for i in chosen], rng))
            said.append(torch.tensor([1 + speaker[i][1] for i in chosen]))
        frames, lengths = _batch(waves)
        loss = F.ctc_loss(
            model(frames).transpose(0, 1),
            torch.cat(said),
            lengths,
            torch.tensor([len(each) for each in said]),
            zero_infinity=True,
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def heard(model: Transcriber, wave: Wave) -> list[int]:
    """The digits in a wave (T,): the likeliest class of every frame, repeats and blanks dropped."""
    classes = model(features(torch.from_numpy(wave)[None]))[0].argmax(1)
    return [int(each) - 1 for each in torch.unique_consecutive(classes) if each]


def edits(asked: Sequence[int], found: Sequence[int]) -> int:
    """Levenshtein's distance: digits to replace, add or drop to make one of the other."""
    row = list(range(len(found) + 1))
    for i, one in enumerate(asked, start=1):
        above, row[0] = row[0], i
        for j, other in enumerate(found, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return row[-1]


def _silence(within: tuple[float, float], rng: np.random.Generator) -> Wave:
    return np.zeros(round(rng.uniform(*within) * RATE), np.float32)


def _batch(waves: Sequence[Wave]) -> tuple[Tensor, Tensor]:
    """Frames (B, MELS, T) of waves, zeros behind the shorter, and what each is in classes."""
    longest = max(map(len, waves))
    padded = np.stack([np.pad(wave, (0, longest - len(wave))) for wave in waves])
    lengths = torch.tensor([-(-(len(wave) // HOP + 1) // _STRIDE) for wave in waves])
    return features(torch.from_numpy(padded)), lengths
