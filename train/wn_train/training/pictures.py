"""What TensorBoard shows beside a sound: its spectrogram, and its frames beside those asked for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError
from wn_runtime.features import pitch
from wn_runtime.features.features import Features
from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GIVEN, MADE = "recording", "generated"
WIDTH, DPI = 4.6, 110
"""Inches: TensorBoard shows pictures 340 pixels wide; of larger ones no word could be read."""


def spectrogram(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """A (T,) wave to a (129, frames) picture: magnitudes from -80 dB (0) to the peak (1)."""
    window = torch.hann_window(256)
    magnitude = torch.stft(
        torch.from_numpy(wave), 256, 64, window=window, pad_mode="constant", return_complex=True
    ).abs()
    level = 20 * torch.log10(magnitude / magnitude.max().clamp(min=1e-9) + 1e-4)
    picture: NDArray[np.float32] = (level / 80 + 1).clamp(0, 1).flip(0).numpy()
    return picture


def spectrogram_with_axes(wave: NDArray[np.float32], sample_rate: int) -> bytes:
    """The same as a PNG with its axes and units. Raises ImportError without matplotlib."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        image = axes.imshow(
            80 * (spectrogram(wave) - 1),
            aspect="auto",
            cmap="magma",
            vmin=-80,
            vmax=0,
            extent=(0, len(wave) / sample_rate, 0, sample_rate / 2000),
        )
        axes.set_xlabel("seconds")
        axes.set_ylabel("kHz")
        figure.colorbar(image, label="dB below the peak")

    return figures.drawn((WIDTH, 2.4), draw, "png", dpi=DPI)


def measurable(features: Features) -> Features | None:
    """Those that can be measured here of sound that a model makes; None: there are none.

    Phones cannot, and without pyworld no pitch.
    """
    here = features.pitch
    if features.pitch:
        try:
            pitch.need()
        except WavestepError:
            here = False
    try:
        return dataclasses.replace(features, phones=(), pitch=here)
    except ValueError:  # there is nothing else
        return None


def compared(
    features: Features, given: NDArray[np.float32], made: Features, wave: NDArray[np.float32]
) -> bytes:
    """A PNG: the frames (F, C) that a sound was asked to follow, and its own. Needs matplotlib.

    made: those of `features` to measure of the sound, a (T,) wave.
    """
    asked = dict(zip(features.names, given.T, strict=True))
    found = dict(zip(made.names, made.extract(wave).T, strict=True))
    step = features.hop / features.sample_rate
    panels = 2 * bool(features.mel) + features.pitch + features.level

    def draw(figure: Figure) -> None:
        every = list(np.atleast_1d(figure.subplots(panels, 1, sharex=True)))
        every[-1].set_xlim(0, len(wave) / features.sample_rate)
        every[-1].set_xlabel("seconds")
        if features.mel:
            names = features.names[: features.mel]
            of_both = [np.stack([each[name] for name in names]) for each in (asked, found)]
            for bands, what in zip(of_both, (GIVEN, MADE), strict=True):
                _bands(every.pop(0), bands, step, (of_both[0].min(), of_both[0].max()), what)
        if features.pitch:
            axes = every.pop(0)
            _curve(axes, _hz(asked), step, GIVEN, "F0, Hz")
            if made.pitch:
                _curve(axes, _hz(found), step, MADE, "F0, Hz")
            _legend(axes)
        if features.level:
            axes = every.pop(0)
            for each, what in ((asked, GIVEN), (found, MADE)):
                _curve(axes, each["level"] * 20 / np.log(10), step, what, "level, dB")
            _legend(axes)

    return figures.drawn((WIDTH, 1.3 * panels + 0.5), draw, "png", dpi=DPI)


def _bands(
    axes: Axes, bands: NDArray[np.float32], step: float, limits: tuple[float, float], what: str
) -> None:
    """bands (M, F) on the scale of the recording's, one frame every `step` seconds."""
    end = bands.shape[1] * step
    extent = (0, end, 0, len(bands))
    low, high = limits
    axes.imshow(bands, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high)
    axes.set_ylabel(f"mel band,\n{what}")


def _curve(axes: Axes, values: NDArray[np.float32], step: float, what: str, unit: str) -> None:
    axes.plot((np.arange(len(values)) + 0.5) * step, values, label=what)
    axes.set_ylabel(unit)


def _legend(axes: Axes) -> None:
    """Above the curves, which it would hide."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, borderpad=0)


def _hz(columns: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """NaN where unvoiced."""
    return np.where(columns["voiced"] > 0, np.exp(columns["ln F0"]), np.nan).astype(np.float32)
