"""The page's pictures: spectrograms and the error at each step, on any background."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.compare import Comparison
from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GREY = "#808489"
"""Readable on white and on black."""
_QUIET_DB, _MARGIN_S, _SHORTEST_S = 25.0, 0.08, 0.4
_RANGE_DB = 60.0


def heard(audio: Sequence[NDArray[np.float32]], sample_rate: int) -> tuple[int, int]:
    """From where to where anything is to be heard in any of them, in samples.

    What is 25 dB below the loudest 20 ms is silence; a margin of 80 ms is left on both sides. All
    of it where that leaves next to nothing.
    """
    longest = max(map(len, audio), default=0)
    width = max(1, sample_rate // 50)
    level = np.zeros(-(-longest // width))
    for one in audio:
        padded = np.zeros(len(level) * width)
        padded[: len(one)] = one
        level = np.maximum(level, np.square(padded.reshape(-1, width)).mean(axis=1))
    loud = np.flatnonzero(level > level.max(initial=0) * 10 ** (-_QUIET_DB / 10))
    if not len(loud):
        return 0, longest
    margin = round(_MARGIN_S * sample_rate)
    start, end = max(0, loud[0] * width - margin), min(longest, (loud[-1] + 1) * width + margin)
    enough = end - start >= _SHORTEST_S * sample_rate
    return (int(start), int(end)) if enough else (0, longest)


def spectrogram(audio: NDArray[np.float32], sample_rate: int, top: float) -> str:
    """A data: URL; top: the level of the brightest colour, dB, so that pictures compare."""

    def draw(figure: Figure) -> None:
        level = levels(audio, sample_rate)
        axes = figure.subplots()
        axes.imshow(
            level.T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=top - _RANGE_DB,
            vmax=top,
            extent=(0, len(audio) / sample_rate, 0, sample_rate / 2000),
        )
        axes.set_xlabel("s")
        axes.set_ylabel("kHz")
        _soften(axes)

    return _url((4.6, 2.5), draw)


def levels(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """(frames, bins) dB, windows of 32 ms."""
    width = min(max(16, round(0.032 * sample_rate)), len(audio))
    hop = max(1, width // 8)
    frames = np.lib.stride_tricks.sliding_window_view(audio, width)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(width))) ** 2 / width
    found: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-8))
    return found


def errors(comparisons: Sequence[Comparison]) -> str:
    """A data: URL: max |Δ| of each compared step."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for comparison in comparisons:
            label = f"{comparison.row.engine} {comparison.row.precision}"
            found = np.where(np.isfinite(comparison.errors), comparison.errors, np.nan)  # gaps
            axes.semilogy(np.maximum(found, 1e-9), linewidth=0.7, label=label)
        axes.set_xlabel("compared step")
        axes.set_ylabel("max |Δ|, of the largest param")
        axes.grid(visible=True, alpha=0.3)
        _soften(axes)
        if comparisons:
            axes.legend(
                loc="lower right",
                bbox_to_anchor=(1, 1),
                labelcolor=_GREY,
                framealpha=0,
                ncols=min(5, len(comparisons)),
            )

    return _url((9.5, 2.9), draw)


def _soften(axes: Axes) -> None:
    axes.tick_params(colors=_GREY)
    for part in (axes.xaxis.label, axes.yaxis.label):
        part.set_color(_GREY)
    for spine in axes.spines.values():
        spine.set_color(_GREY)


def _url(size: tuple[float, float], draw: Callable[[Figure], object]) -> str:
    def clear(figure: Figure) -> None:
        draw(figure)
        figure.patch.set_alpha(0)
        for axes in figure.axes:
            axes.patch.set_alpha(0)

    data = base64.b64encode(figures.drawn(size, clear, "png", dpi=110)).decode()
    return f"data:image/png;base64,{data}"
