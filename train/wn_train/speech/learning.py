"""Training a front end: three small networks, one after the other, on the frames of a corpus."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.commands.bar import Bar
from wn_runtime.speech import linguistic
from wn_runtime.speech.spec import DURATIONS, PROSODY, SPECTRUM, SpeechSpec
from wn_train.speech.config import SpeechConfig
from wn_train.speech.conv_net import ConvNet

BATCH = 8
"""Sequences of a step."""
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """A recording as the front end learns from it."""

    frames: Array
    """(F, C), as its features say."""
    speaker: int
    """The index of who speaks; 0 where there is one."""


@dataclass(frozen=True)
class _Task:
    """What one network learns."""

    rows: list[Array]
    """Of each recording (n, inputs)."""
    targets: list[Array]
    """(n, outputs) in their units."""
    normal: tuple[bool, ...]
    """Which of the outputs are brought to mean 0 and deviation 1."""
    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    """(predicted, targets, mask) (B, n, …), normalised, to a scalar."""


def learn(
    spec: SpeechSpec,
    spoken: Sequence[Spoken],
    config: SpeechConfig,
    seed: int,
    bf16: bool,
    check: Callable[[], None],
) -> dict[str, Array]:
    """The weights of a front end, by the names of `SpeechSpec.shapes`.

    bf16: whether products are made in bfloat16. check may raise: to stop.
    """
    weights: dict[str, Array] = {}
    for number, (part, task) in enumerate(_tasks(spec, spoken).items()):
        torch.manual_seed(seed + number)
        mean, scale = _statistics(task)
        weights[f"{part}.mean"], weights[f"{part}.scale"] = mean, scale
        prefix = f"{part}."
        shapes = {
            name.removeprefix(prefix): shape
            for name, shape in spec.shapes().items()
            if name.startswith(prefix) and name not in weights
        }
        net = ConvNet(shapes, config.dropout)
        _train(net, part, task, (mean, scale), config, seed, bf16, check)
        weights |= {f"{prefix}{k}": v.numpy().copy() for k, v in net.canonical().items()}
    return weights


def _tasks(spec: SpeechSpec, spoken: Sequence[Spoken]) -> dict[str, _Task]:
    features = spec.features
    mel, phones = features.mel, len(features.phones)
    linguistics = [each.frames[:, mel + 3 :] for each in spoken]
    prosody = [each.frames[:, mel : mel + 3] for each in spoken]
    timed = [linguistic.phones_in(rows, features.phones) for rows in linguistics]
    one_hot = np.eye(phones, dtype=np.float32)
    named = [one_hot[[features.phones.index(name) for name in names]] for names, _ in timed]
    lengths = [np.log(frames)[:, None].astype(np.float32) for _, frames in timed]

    def with_speaker(rows: list[Array]) -> list[Array]:
        who = np.eye(len(spec.speakers), dtype=np.float32)
        return [
            np.concatenate([each, np.tile(who[s.speaker], (len(each), 1))], 1) if len(who) else each
            for each, s in zip(rows, spoken, strict=True)
        ]

    tasks = {
        DURATIONS: _Task(with_speaker(named), lengths, (True,), _squares),
        PROSODY: _Task(with_speaker(linguistics), prosody, (True, True, False), _prosody_loss),
    }
    if mel:
        mean, scale = _statistics(tasks[PROSODY])
        rows = [
            np.concatenate([given, (own - mean) / scale], axis=1)
            for given, own in zip(linguistics, prosody, strict=True)
        ]
        bands = [each.frames[:, :mel] for each in spoken]
        tasks[SPECTRUM] = _Task(with_speaker(rows), bands, (True,) * mel, _distances)
    return tasks


def _statistics(task: _Task) -> tuple[Array, Array]:
    every = np.concatenate(task.targets).astype(np.float64)
    normal = np.array(task.normal)
    mean = np.where(normal, every.mean(axis=0), 0)
    scale = np.where(normal, np.maximum(every.std(axis=0), 1e-3), 1)
    return mean.astype(np.float32), scale.astype(np.float32)


def _train(
    net: ConvNet,
    part: str,
    task: _Task,
    normal: tuple[Array, Array],
    config: SpeechConfig,
    seed: int,
    bf16: bool,
    check: Callable[[], None],
) -> None:
    mean, scale = normal
    adam = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=0.01)
    rng = np.random.default_rng(seed)
    with Bar(leave=True, total=config.steps, desc=part, unit="step") as bar:
        for step in range(config.steps):
            check()
            for group in adam.param_groups:
                group["lr"] = (
                    config.learning_rate * (1 + math.cos(math.pi * step / config.steps)) / 2
                )
            chosen = rng.integers(len(task.rows), size=BATCH)
            rows, mask = _padded([task.rows[i] for i in chosen])
            targets, _ = _padded([(task.targets[i] - mean) / scale for i in chosen])
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                predicted = net(rows, mask)
            loss = task.loss(predicted.float(), targets, mask)
            adam.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            adam.step()
            bar.update()
            bar.set_postfix(loss=f"{float(loss.detach()):.3f}")
    net.eval()


def _padded(sequences: Sequence[Array]) -> tuple[Tensor, Tensor]:
    """Sequences (n, W) side by side (B, longest, W), and where they have rows (B, longest, 1)."""
    longest = max(map(len, sequences))
    batch = np.zeros((len(sequences), longest, sequences[0].shape[1]), np.float32)
    mask = np.zeros((len(sequences), longest, 1), np.float32)
    for row, there, sequence in zip(batch, mask, sequences, strict=True):
        row[: len(sequence)], there[: len(sequence)] = sequence, 1
    return torch.from_numpy(batch), torch.from_numpy(mask)


def _squares(predicted: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    return ((predicted - targets) ** 2 * mask).sum() / mask.sum() / targets.shape[-1]


def _distances(predicted: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    return ((predicted - targets).abs() * mask).sum() / mask.sum() / targets.shape[-1]


def _prosody_loss(predicted: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Level everywhere, pitch where voiced, and voicing."""
    voiced = targets[..., 2:] * mask
    level = _squares(predicted[..., :1], targets[..., :1], mask)
    pitch = ((predicted[..., 1:2] - targets[..., 1:2]) ** 2 * voiced).sum() / voiced.sum().clamp(
        min=1
    )
    odds = F.binary_cross_entropy_with_logits(
        predicted[..., 2:], targets[..., 2:], reduction="none"
    )
    return level + pitch + (odds * mask).sum() / mask.sum()
