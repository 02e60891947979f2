"""How near a vocoder's re-synthesis of held-back recordings comes to them.

    python -m bench.speech.vocoder DATA-FRAMES MODEL [--clips 60] [--temperature 1.0] [--plot FILE]

DATA-FRAMES is a folder that wn-features wrote; recordings of its `valid` split, spread over it, are
made again from their own frames by MODEL, and by Griffin-Lim from the same mel spectrum (60
iterations, momentum 0.99). A third row is the recording itself, coded in µ-law of 8 bits and back:
no model with such an output comes nearer. From each wave the same features are extracted.

    mel, mean   mean |difference| of the log mel bands, dB, over all frames
    mel, RMS    its root mean square
    F0, RMSE    cents, over the frames that are voiced in both
    gross       share of these that lie over 20 % off: octaves, mostly
    F0, fine    RMSE of the others
    voicing     share of frames that are voiced in one alone
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import soundfile
from numpy.typing import NDArray

import wn_runtime
from bench.speech import griffin_lim, spectra
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.heads.softmax import Softmax
from wn_train.data import corpus, decoding
from wn_train.data.audio import louder
from wn_train.data.corpus import Recording
from wn_train.features import described

DB = 20 / np.log(10)
"""Decibels of one in ln of a magnitude."""
CENTS = 1200 / np.log(2)
GROSS = CENTS * np.log(1.2)
DRAWN = 3

Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Distance:
    """Between the features of two waves, frame by frame."""

    mel_db: NDArray[np.float64]
    """Of every band of every frame."""
    cents: NDArray[np.float64]
    """Of the frames that are voiced in both."""
    voicing: NDArray[np.bool_]
    """Of every frame: whether it is voiced in one alone."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--clips", default=60, show_default=True)
@click.option(
    "--temperature", default=[1.0], show_default=True, multiple=True, help="Several may be given."
)
@click.option("--engine", help="As in wn-run.")
@click.option("--plot", type=click.Path(path_type=Path), help="Spectrograms of some, as PNG.")
@click.option("--save", type=click.Path(path_type=Path), help="A folder for the clips as WAV.")
def main(
    data: Path,
    model: Path,
    clips: int,
    temperature: tuple[float, ...],
    engine: str | None,
    plot: Path | None,
    save: Path | None,
) -> None:
    """Compare what MODEL makes of the frames in DATA with the recordings."""
    began = time.perf_counter()
    features = described.read(data)
    if features is None or not (features.mel and features.pitch):
        raise WavestepError(f"{data} has no frames with mel bands and pitch; see wn-features")
    chosen = held_back(data, clips)
    waves = [recorded(row, features.sample_rate) for row in chosen]
    frames = [np.load(row.frames) for row in chosen if row.frames is not None]
    made: dict[str, list[Wave]] = {}
    with wn_runtime.open(model, engine=engine) as voice:
        print(f"{voice.name}: {voice.engine} {voice.precision}, {len(chosen)} clips")
        for degree in temperature:
            made[f"WaveNet, temperature {degree:g}"] = [
                resynthesised(voice, row, each, len(wave), number, degree)
                for number, (row, each, wave) in enumerate(zip(chosen, frames, waves, strict=True))
            ]
    made["Griffin-Lim"] = [
        griffin_lim.audio(each[:, : features.mel], features, len(wave))
        for each, wave in zip(frames, waves, strict=True)
    ]
    coding = Softmax()
    made["recording in 8-bit µ-law"] = [coding.decode(coding.encode(wave)) for wave in waves]
    print(f"{'':26}  mel, mean   mel, RMS   F0, RMSE   gross   F0, fine   voicing")
    for name, each in made.items():
        found = [distance(features, *pair) for pair in zip(waves, each, strict=True)]
        print(f"{name:26}{line(found)}", flush=True)
    if plot is not None:
        plot.write_bytes(picture(waves, made, chosen, features))
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for name, each in {"recording": waves, **made}.items():
            for row, wave in zip(chosen, each, strict=True):
                path = save / f"{row.path.stem}, {name}.wav"
                soundfile.write(path, wave, features.sample_rate)
    print(f"{time.perf_counter() - began:.0f} s")


def held_back(data: Path, count: int) -> list[Recording]:
    """So many recordings of the `valid` split, evenly spread over it."""
    rows = [r for r in corpus.read(data, framed=True).recordings if r.split == "valid"]
    places = np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))
    return [rows[place] for place in places]


def recorded(row: Recording, rate: int) -> Wave:
    """A recording as loud as its frames were measured, (T,)."""
    return louder(decoding.read(row.path, rate), row.gain)


def resynthesised(
    voice: wn_runtime.Model,
    row: Recording,
    frames: NDArray[np.float32],
    samples: int,
    seed: int,
    temperature: float,
) -> Wave:
    """What a vocoder makes of a recording's frames, (samples,)."""
    conditions = {c.name: row.values[c.name] for c in voice.spec.conditions}
    with voice.begin(conditions, seed, temperature) as stream:
        stream.push(frames, last=True)
        return stream.read(samples)[:, 0]


def distance(features: Features, one: Wave, other: Wave) -> Distance:
    """Between two waves (T,) of one length."""
    first, second = features.extract(one), features.extract(other)
    pitch, voiced = features.names.index("ln F0"), features.names.index("voiced")
    both = (first[:, voiced] > 0) & (second[:, voiced] > 0)
    mel = (second - first)[:, : features.mel].astype(np.float64)
    cents = (second - first)[both, pitch].astype(np.float64)
    return Distance(DB * mel, CENTS * cents, first[:, voiced] != second[:, voiced])


def line(found: list[Distance]) -> str:
    """The figures of all clips together."""
    mel = np.concatenate([each.mel_db.ravel() for each in found])
    cents = np.concatenate([each.cents for each in found])
    voicing = np.concatenate([each.voicing for each in found])
    gross = np.abs(cents) > GROSS
    return (
        f"{np.abs(mel).mean():8.2f} dB{rms(mel):8.2f} dB{rms(cents):6.0f} cents"
        f"{100 * gross.mean():6.1f} %{rms(cents[~gross]):5.0f} cents{100 * voicing.mean():8.1f} %"
    )


def rms(values: NDArray[np.float64]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def picture(
    waves: list[Wave], made: dict[str, list[Wave]], chosen: list[Recording], features: Features
) -> bytes:
    """A PNG: a row for each of a few recordings, which are those spread over them."""
    columns = {"recording": waves, **made}
    rows = [
        [
            spectra.Panel(f"{chosen[place].path.stem}: {name}", each[place])
            for name, each in columns.items()
        ]
        for place in np.linspace(0, len(waves) - 1, DRAWN).round().astype(int)
    ]
    return spectra.picture(rows, features)


if __name__ == "__main__":
    main()
