"""Whether tags steer what is generated, by an independent judge.

    python examples/music/make.py music/
    wn-train music/ -o runs/music --config examples/music/music.toml
    wn-export runs/music -o music-model
    python -m bench.conditioning.tags music/ music-model/ [--clips 8] [--temperature 1.0]

The judge, a small convolutional network, is trained on music/held-back's `train` split, which the
generator never saw, and its accuracy stated on held-back's `valid`, which neither saw. Then it
hears clips that MODEL makes for every combination of tags, the same seeds for each, so that two
clips which differ in one tag show what that tag alone does; and as many clips made without tags.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import click
import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

import wn_runtime
from wn_runtime.features.mel import Mel, filters
from wn_runtime.synthesis.model import Model
from wn_train.data import corpus

RATE, SECONDS, CROP = 8000, 4, 3
"""Hz; of a clip that is judged; of one that the judge is trained on."""
GROUPS = {
    "instrument": ("bells", "organ", "piano", "strings"),
    "tempo": ("slow", "fast"),
    "mode": ("major", "minor"),
}
MEL = Mel(RATE, hop=80, window=256, bands=40)
LOWEST, PITCHES, PITCH_WINDOW, PITCH_HOP = 174.6, 72, 2048, 400
"""Of the spectrum by pitch: Hz of the lowest, half semitones, samples."""
Waves = NDArray[np.float32]
"""(clips, samples)"""
Classes = dict[str, NDArray[np.int64]]
"""(clips,) of each group."""


class Judge(nn.Module):
    """Waves (B, T) to logits of each group."""

    mel: Tensor
    pitch: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mel", torch.from_numpy(filters(MEL).astype(np.float32)).T)
        self.register_buffer("pitch", pitch_filters())
        widths = [MEL.bands, 64, 64, 96]
        # 10 ms frames, then 20 ms: 620 ms are seen at once, more than a beat.
        self.sound = nn.Sequential(
            *(
                layer
                for n, (i, o) in enumerate(itertools.pairwise(widths))
                for layer in (
                    nn.Conv1d(i, o, 9, stride=2 if n == 0 else 1, dilation=1 << n, padding=4 << n),
                    nn.BatchNorm1d(o),
                    nn.ReLU(),
                )
            )
        )
        # An interval is the same in every key: filters over pitch, then the strongest answer.
        self.interval = nn.Sequential(
            nn.Conv2d(1, 24, (29, 1)),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.Conv2d(24, 24, 1),
            nn.BatchNorm2d(24),
            nn.ReLU(),
        )
        self.heads = nn.ModuleDict(
            {
                "instrument": nn.Linear(2 * widths[-1], 4),
                "tempo": nn.Linear(2 * widths[-1], 2),
                "mode": nn.Linear(24, 2),
            }
        )

    def forward(self, waves: Tensor) -> dict[str, Tensor]:
        """(B, n) of each group."""
        sound = self.sound(level_free(spectrum(waves, MEL.window, MEL.hop) @ self.mel))
        pooled = torch.cat([sound.mean(2), sound.amax(2)], 1)
        pitches = level_free(spectrum(waves, PITCH_WINDOW, PITCH_HOP) @ self.pitch)
        interval = self.interval(pitches[:, None]).amax(2).mean(2)
        return {
            name: head(interval if name == "mode" else F.dropout(pooled, 0.2, self.training))
            for name, head in self.heads.items()
        }


def spectrum(waves: Tensor, window: int, hop: int) -> Tensor:
    """Magnitudes (B, frames, bins)."""
    shape = torch.hann_window(window)
    return torch.stft(waves, window, hop, window=shape, return_complex=True).abs().transpose(1, 2)


def level_free(bands: Tensor) -> Tensor:
    """(B, frames, bands) to their logarithm below the clip's loudest, (B, bands, frames)."""
    loudest = bands.amax(dim=(1, 2), keepdim=True).clamp(min=1e-9)
    return (bands / loudest + 1e-3).log().transpose(1, 2) / 3 + 1


def pitch_filters() -> Tensor:
    """Triangles every half semitone, (bins, PITCHES)."""
    hertz = np.fft.rfftfreq(PITCH_WINDOW, 1 / RATE)
    place = 24 * np.log2(np.maximum(hertz, 1) / LOWEST)
    near = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(PITCHES)) / 1.5)
    return torch.from_numpy(near.astype(np.float32))


def trained(waves: Waves, classes: Classes, epochs: int) -> Judge:
    """Noise, level and place of the crop vary, so that it is not brittle."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    judge, size = Judge(), 32
    optimizer = torch.optim.AdamW(judge.parameters(), 2e-3, weight_decay=0.05)
    total = epochs * -(-len(waves) // size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=total)
    for _ in range(epochs):
        order = rng.permutation(len(waves))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            begin = int(rng.integers(0, (SECONDS - CROP) * RATE + 1))
            crops = waves[chosen, begin : begin + CROP * RATE]
            noise = rng.normal(0, 1, crops.shape) * 10 ** rng.uniform(-4, -1.5, (len(crops), 1))
            logits = judge(torch.from_numpy((crops + noise).astype(np.float32)))
            losses = [
                F.cross_entropy(logits[name], torch.from_numpy(classes[name][chosen]))
                for name in GROUPS
            ]
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(losses).sum())
            optimizer.step()
            schedule.step()
    return judge.eval()


@torch.no_grad()
def judged(judge: Judge, waves: Waves) -> Classes:
    """What it hears."""
    parts = [judge(part) for part in torch.split(torch.from_numpy(waves), 32)]
    return {name: torch.cat([p[name] for p in parts]).argmax(1).numpy() for name in GROUPS}


def read(folder: Path, split: str) -> tuple[Waves, Classes]:
    """The recordings of a split that have a tag of every group."""
    waves, rows = [], []
    for recording in corpus.read(folder, ["tags"]).recordings:
        tags = set(recording.values["tags"].split("+"))
        row = [[value in tags for value in values] for values in GROUPS.values()]
        if recording.split == split and all(any(one) for one in row):
            rows.append([one.index(True) for one in row])
            waves.append(soundfile.read(recording.path, dtype="float32")[0][: SECONDS * RATE])
    return np.stack(waves), by_group(rows)


def by_group(rows: Iterable[Iterable[int]]) -> Classes:
    """Rows of a class each to columns by name."""
    return dict(zip(GROUPS, np.array(list(rows)).T, strict=True))


def made(model: Model, tags: set[str], seeds: range, temperature: float) -> Waves:
    """A clip a seed."""
    clips = []
    for seed in seeds:
        with model.stream(seed=seed, temperature=temperature, tags=tags) as stream:
            clips.append(stream.read(SECONDS * RATE)[:, 0])
    return np.stack(clips)


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("directory", metavar="MODEL", type=click.Path(path_type=Path, exists=True))
@click.option("--clips", default=8, show_default=True, help="Of each of the 16 combinations.")
@click.option("--temperature", "temperatures", default=[1.0], show_default=True, multiple=True)
@click.option("--engine", help="As in wn-run.")
@click.option("--epochs", default=12, show_default=True, help="Of the judge.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder for the clips made.")
def main(
    data: Path,
    directory: Path,
    clips: int,
    temperatures: tuple[float, ...],
    engine: str | None,
    epochs: int,
    keep: Path | None,
) -> None:
    """Judge what MODEL makes of each combination of tags, with a judge trained on DATA."""
    waves, asked = read(data / "held-back", "train")
    judge = trained(waves, asked, epochs)
    print(f"judge: trained on {len(waves)} real clips that the generator did not see")
    waves, asked = read(data / "held-back", "valid")
    shares("real clips that neither saw", judged(judge, waves), asked)
    with wn_runtime.open(directory, engine) as model:
        print(f"\ngenerated, {SECONDS} s each, {model.engine} {model.precision}")
        for temperature in temperatures:
            _of_temperature(judge, model, clips, temperature, keep)


def _of_temperature(
    judge: Judge, model: Model, clips: int, temperature: float, keep: Path | None
) -> None:
    combinations = list(itertools.product(*(range(len(values)) for values in GROUPS.values())))
    parts = []
    for row in combinations:
        tags = {values[i] for values, i in zip(GROUPS.values(), row, strict=True)}
        parts.append(made(model, tags, range(clips), temperature))
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for seed, wave in enumerate(parts[-1]):
                name = f"{temperature:g}-{'+'.join(sorted(tags))}-{seed}.wav"
                soundfile.write(keep / name, wave, RATE)
    asked = by_group(row for row in combinations for _ in range(clips))
    found = judged(judge, np.concatenate(parts))
    shares(f"\ntemperature {temperature:g}, with tags", found, asked)
    for name, values in GROUPS.items():
        confusion(name, values, found[name], asked[name])
    swaps(found, asked, clips)
    bare = judged(judge, made(model, set(), range(len(combinations) * clips), temperature))
    for name, values in GROUPS.items():
        counts = np.bincount(bare[name], minlength=len(values))
        print(f"  without tags, {name}: ", end="")
        print(", ".join(f"{v} {n}" for v, n in zip(values, counts, strict=True)))


def shares(what: str, found: Classes, asked: Classes) -> None:
    """One line: how often it hears what was asked for, in each group and in all."""
    right = {name: found[name] == asked[name] for name in GROUPS}
    right["all three"] = np.logical_and.reduce(list(right.values()))
    words = ", ".join(f"{name} {100 * each.mean():.1f} %" for name, each in right.items())
    print(f"{what}, {len(right['mode'])} clips: {words}")


def confusion(
    name: str, values: tuple[str, ...], found: NDArray[np.int64], asked: NDArray[np.int64]
) -> None:
    """A row for each tag asked for: how many clips the judge takes for which."""
    print(f"  {name:<12}" + "".join(f"{value:>9}" for value in values))
    for i, value in enumerate(values):
        counts = np.bincount(found[asked == i], minlength=len(values))
        print(f"    {value:<10}" + "".join(f"{count:>9}" for count in counts))


def swaps(found: Classes, asked: Classes, clips: int) -> None:
    """Pairs of one seed that differ in one tag: what is heard follows, or stays."""
    seed = np.arange(len(asked["mode"])) % clips
    for name in GROUPS:
        others = [other for other in GROUPS if other != name]
        same = seed[:, None] == seed
        for other in others:
            same &= asked[other][:, None] == asked[other]
        one, two = np.nonzero(same & (asked[name][:, None] < asked[name]))
        follows = (found[name][one] == asked[name][one]) & (found[name][two] == asked[name][two])
        stays = [(found[other][one] == found[other][two]).mean() for other in others]
        rest = ", ".join(
            f"{o} stays in {100 * s:.0f} %" for o, s in zip(others, stays, strict=True)
        )
        print(
            f"  {name} swapped, same seed, {len(one)} pairs: heard as asked in both "
            f"{100 * follows.mean():.0f} %; {rest}"
        )


if __name__ == "__main__":
    main()
