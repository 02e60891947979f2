"""A set of synthetic music with tags, to train a WaveNet on: chords and a melody, 8 kHz.

    python examples/music/make.py music/
    wn-train music/ -o runs/music --config examples/music/music.toml

Each clip is four seconds of a steady pulse: on every beat the root and third of a chord and, an
octave above, one of its three notes. Every fourth beat brings the next chord: the first, fourth or
fifth degree of one of two keys. The column `tags` says the instrument, the tempo and the mode, as
`piano+slow+minor`; in the minor mode all three chords are minor, so half a second is enough to hear
it. In the split `train` a tag is left out now and then, as in collections of real music, so that
any can be asked for alone.

    music/metadata.csv             train and valid, for wn-train
    music/held-back/metadata.csv   train and valid of who judges what was generated, in
                                   bench/conditioning/tags.py
"""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import soundfile
from numpy.typing import NDArray

RATE, SECONDS = 8000, 4.0
PEAK, NOISE = 0.7, 0.02
"""Of a clip, full scale 1; and the deviation of the noise under it, without which a network would
learn to be surer of each sample than it can be of its own."""
LEFT_OUT = 0.15
"""How often a clip to train on lacks its instrument's tag, its tempo's, its mode's."""
BEATS = {"slow": 0.42, "fast": 0.17}
"""Seconds; a clip's own is up to 6 % off."""
CHORDS = {"major": (0, 4, 7), "minor": (0, 3, 7)}
"""Semitones above the root."""
KEYS = (0, 5)
"""Semitones above the lowest root: G and C, so that a small network meets four roots."""
DEGREES, BAR = (0, 5, 7), 4
"""Semitones of the first, fourth and fifth above the key; beats of each."""
LOWEST = 196.0
"""Hz of the lowest root, G3."""


@dataclass(frozen=True)
class Instrument:
    """How a note sounds: partials under an envelope, all of which begin at phase 0."""

    partials: tuple[tuple[float, float, float], ...]
    """(frequency, of the note's; amplitude; seconds in which it falls to 1/e)."""
    attack: float
    """Seconds from nothing to full."""
    release: float
    """Seconds of dying away, after the note's end."""
    vibrato: float = 0.0
    """Largest deviation of the frequency, of itself, at 5.5 Hz."""

    def note(self, hertz: float, seconds: float, rng: np.random.Generator) -> NDArray[np.float64]:
        """One note, (samples,), its loudest partial about 1."""
        t = np.arange(int((seconds + self.release) * RATE)) / RATE
        swing = np.sin(2 * np.pi * (5.5 * t + rng.random()))
        phase = 2 * np.pi * np.cumsum(hertz * (1 + self.vibrato * swing)) / RATE
        wave = np.zeros(len(t))
        for ratio, amplitude, decay in self.partials:
            if ratio * hertz < 0.45 * RATE:
                wave += amplitude * np.exp(-t / decay) * np.sin(ratio * phase)
        rise = np.minimum(1, t / self.attack)
        fall = np.clip((seconds + self.release - t) / self.release, 0, 1)
        return wave * rise * fall


STEADY = 1e9
INSTRUMENTS = {
    "bells": Instrument(((1, 1, 0.5), (2.76, 0.5, 0.2)), 0.002, 0.03),
    "organ": Instrument(tuple((n, 1 / n, STEADY) for n in (1, 2, 4)), 0.01, 0.02),
    "piano": Instrument(tuple((n, n**-1.3, 0.35 / n**0.7) for n in range(1, 4)), 0.003, 0.03),
    "strings": Instrument(
        tuple((n, 1 / n, STEADY) for n in range(1, 5)), 0.06, 0.04, vibrato=0.005
    ),
}
GROUPS = (tuple(INSTRUMENTS), tuple(BEATS), tuple(CHORDS))
"""The tags of which a clip has one each."""


def clip(tags: tuple[str, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """SECONDS of music, (samples,), with a tag of each group; its peak is 0.7 to 1 of PEAK."""
    name, tempo, mode = tags
    instrument, chord = INSTRUMENTS[name], CHORDS[mode]
    beat = BEATS[tempo] * rng.uniform(0.94, 1.06)
    key, degree = int(rng.choice(KEYS)), 0
    wave = np.zeros(int(RATE * SECONDS))
    for number in range(int(np.ceil(SECONDS / beat))):
        if number and number % BAR == 0:
            degree = int(rng.choice([other for other in DEGREES if other != degree]))
        root = (key + degree) % 12
        melody = 12 + int(rng.choice(chord))
        begin = round(number * beat * RATE)
        for above, loudness in (*((tone, 0.6) for tone in chord[:2]), (melody, 1.0)):
            hertz = LOWEST * 2 ** ((root + above) / 12)
            note = instrument.note(hertz, 0.9 * beat, rng) * loudness * rng.uniform(0.8, 1)
            part = note[: len(wave) - begin]
            wave[begin : begin + len(part)] += part
    wave *= PEAK * rng.uniform(0.7, 1) / np.abs(wave).max()
    return (wave + rng.normal(0, NOISE, len(wave))).astype(np.float32)


def write(folder: Path, splits: dict[str, int], left_out: float, seed: int) -> None:
    """So many clips of each split, all combinations of tags as often, and their metadata.csv.

    left_out: how often a clip of `train` lacks a tag that it would have.
    """
    folder.mkdir(parents=True, exist_ok=True)
    combinations = list(itertools.product(*GROUPS))
    rows = []
    for place, (split, count) in enumerate(splits.items()):
        for number in range(count):
            rng = np.random.default_rng((seed, place, number))
            tags = combinations[number % len(combinations)]
            file = f"{split}-{number:04}.wav"
            soundfile.write(folder / file, clip(tags, rng), RATE, subtype="PCM_16")
            said = [tag for tag in tags if split != "train" or rng.random() >= left_out]
            rows.append((file, split, "+".join(said)))
    with (folder / "metadata.csv").open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([("file", "split", "tags"), *rows])


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--clips", default=640, show_default=True, help="Clips to train on.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, clips: int, seed: int) -> None:
    """Write the set into FOLDER."""
    write(folder, {"train": clips, "valid": 16}, LEFT_OUT, seed)
    write(folder / "held-back", {"train": clips // 2, "valid": clips // 4}, 0, seed + 1)
    tags = ", ".join("/".join(group) for group in GROUPS)
    click.echo(f"{folder}: {clips} clips of {SECONDS:g} s to train on; tags {tags}")


if __name__ == "__main__":
    main()
