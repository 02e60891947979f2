"""What was extracted, drawn over the recording's own spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.features import Features
from wn_runtime.speech.labels import Segment
from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WINDOW_S = 0.02
_LETTER = 0.12
"""Inches that a letter of a phone's name takes, with what is left free beside it."""


def picture(
    audio: NDArray[np.float32],
    frames: NDArray[np.float32],
    features: Features,
    phones: Sequence[Segment] = (),
) -> bytes:
    """A PNG: the spectrogram with phones and pitch in it, mel bands, level. Needs matplotlib."""
    panels = 1 + bool(features.mel) + features.level

    def draw(figure: Figure) -> None:
        axes = list(np.atleast_1d(figure.subplots(panels, 1, sharex=True)))
        times = (np.arange(len(frames)) + 0.5) * features.hop / features.sample_rate
        draw_spectrogram(axes[0], audio, features.sample_rate)
        draw_phones(axes[0], phones)
        columns = dict(zip(features.names, frames.T, strict=True))
        if features.pitch:
            voiced = columns["voiced"] > 0
            hz = np.where(voiced, np.exp(columns["ln F0"]), np.nan)
            draw_pitch(axes[0].twinx(), times, hz)
        if features.mel:
            end = len(frames) * features.hop / features.sample_rate
            bands = frames[:, : features.mel].T
            axes[1].imshow(bands, origin="lower", aspect="auto", extent=(0, end, 0, features.mel))
            axes[1].yaxis.get_major_locator().set_params(integer=True)
            axes[1].set_ylabel("mel band")
        if features.level:
            axes[-1].plot(times, columns["level"] * 20 / np.log(10))
            axes[-1].set_ylabel("level, dB")
        axes[-1].set_xlabel("seconds")

    return figures.drawn((10, 2.6 * panels), draw, "png", dpi=90)


def draw_phones(axes: Axes, phones: Sequence[Segment]) -> None:
    """Their borders, and their names above: higher those that would run into the next."""
    raised = False
    width = axes.bbox.transformed(axes.figure.dpi_scale_trans.inverted()).width
    for phone in phones:
        axes.axvline(phone.start, color="white", linewidth=0.8, alpha=0.8)
        middle = (phone.start + phone.end) / 2
        inches = width * (phone.end - phone.start) / phones[-1].end
        raised = inches < _LETTER * len(phone.phone) and not raised
        height = 1.09 if raised else 1.01
        axes.text(middle, height, phone.phone, transform=axes.get_xaxis_transform(), ha="center")


def draw_pitch(axes: Axes, times: NDArray[np.float64], hz: NDArray[np.float64]) -> None:
    """On a scale of its own, an octave beyond what there is."""
    axes.plot(times, hz, color="black", linewidth=3)
    axes.plot(times, hz, color="cyan", linewidth=1.5)
    if not np.isnan(hz).all():
        axes.set_ylim(np.nanmin(hz) / 2, np.nanmax(hz) * 2)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:.0f}")
    axes.set_ylabel("F0, Hz")


def draw_spectrogram(axes: Axes, audio: NDArray[np.float32], rate: int) -> None:
    """Audio (T,) at `rate` Hz: 80 dB below its loudest."""
    window = max(16, round(_WINDOW_S * rate))
    padded = np.pad(audio, (window // 2, window))
    every = np.lib.stride_tricks.sliding_window_view(padded, window)[:: max(1, window // 8)]
    power = np.abs(np.fft.rfft(every * np.hanning(window), 4 * window))
    decibels = 20 * np.log10(power + 1e-6)
    top = float(decibels.max())
    extent = (0.0, len(audio) / rate, 0.0, rate / 2)
    axes.imshow(
        decibels.T,
        origin="lower",
        aspect="auto",
        extent=extent,
        vmin=top - 80,
        vmax=top,
        cmap="magma",
    )
    axes.set_ylabel("Hz")
