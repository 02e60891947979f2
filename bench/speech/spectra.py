"""Spectrograms side by side, each with its pitch and, where they are known, its phones."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wn_runtime.features.features import Features
from wn_runtime.features.pitch import PitchRange, f0
from wn_runtime.speech.labels import Segment
from wn_train import figures
from wn_train.features import plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Panel:
    """A wave to be drawn."""

    title: str
    wave: NDArray[np.float32]
    phones: tuple[Segment, ...] = ()


def picture(rows: Sequence[Sequence[Panel]], features: Features) -> bytes:
    """A PNG of the panels; a row shares its axes. Needs matplotlib and pyworld."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(rows), len(rows[0]), squeeze=False, sharey="row")
        for cells, row in zip(axes, rows, strict=True):
            low, high = pitch_limits(row, features)
            for cell, panel in zip(cells, row, strict=True):
                plot.draw_spectrogram(cell, panel.wave, features.sample_rate)
                plot.draw_phones(cell, panel.phones)
                hz = pitch(panel.wave, features)
                beside = cell.twinx()
                times = (np.arange(len(hz)) + 0.5) * features.hop / features.sample_rate
                plot.draw_pitch(beside, times, hz)
                beside.set_ylim(low, high)
                cell.set_title(panel.title, pad=30 if panel.phones else 6)
                cell.set_xlabel("seconds")

    size = (4.2 * len(rows[0]), 3.0 * len(rows))
    return _of_few_colours(figures.drawn(size, draw, "png", dpi=100))


def pitch(wave: NDArray[np.float32], features: Features) -> NDArray[np.float64]:
    """Hz of each frame, NaN where unvoiced."""
    within = PitchRange(features.pitch_low_hz, features.pitch_high_hz)
    hz = f0(wave, features.sample_rate, features.hop, within)
    return np.where(hz > 0, hz, np.nan)


def pitch_limits(row: Sequence[Panel], features: Features) -> tuple[float, float]:
    """Hz from half the middle pitch of a row to four times that: octaves do not squeeze it."""
    every = np.concatenate([pitch(panel.wave, features) for panel in row])
    middle = float(np.nanmedian(every)) if np.isfinite(every).any() else features.pitch_low_hz
    return middle / 2, middle * 4


def _of_few_colours(png: bytes) -> bytes:
    """The same picture with a palette: a quarter of the bytes."""
    picture = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)
    few.save(picture, "PNG", optimize=True)
    return picture.getvalue()
