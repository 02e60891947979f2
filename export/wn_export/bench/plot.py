"""The bench as a picture: how fast every row is, its slow blocks, and where real time begins."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wn_export.bench.measure import Row
from wn_runtime.errors import WavestepError
from wn_runtime.text import printable
from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
_FAST, _SLOW, _INK, _SOFT = "#2a7f62", "#b5523b", "#333333", "#666666"


def check_plot(path: Path) -> None:
    """Raise WavestepError, before anything is measured, where no plot could be written."""
    if path.suffix not in FORMATS:
        raise WavestepError(f"{path}: a plot is written as {', '.join(FORMATS)}; name one")
    try:
        figures.load()
    except ImportError as error:
        raise WavestepError(
            f"--plot needs matplotlib ({error}); pip install 'wavestep[export]'"
        ) from error


def plot(
    kind: str, rows: Sequence[Row], sample_rate: int, title: str, below: Sequence[str] = ()
) -> bytes:
    """The picture as a file; kind: one of FORMATS. below: lines under it, of how it came about."""
    size = (9, 1.6 + 0.42 * len(rows) + 0.22 * len(below))

    def drawing(figure: Figure) -> None:
        draw(figure, rows, sample_rate, title)
        said = "\n".join(textwrap.fill(printable(line), 120) for line in below)
        figure.supxlabel(
            said, x=0.01, ha="left", fontsize=8, color=_SOFT, parse_math=False, linespacing=1.4
        )

    return figures.drawn(size, drawing, kind.lstrip("."), dpi=150)


def draw(figure: Figure, rows: Sequence[Row], sample_rate: int, title: str) -> None:
    """A bar for each row, on a logarithmic axis of samples per second of one stream.

    The bar is the median block's speed; a line goes down to that of the slowest in a hundred.
    """
    axes = figure.subplots()
    ordered = sorted(rows, key=lambda row: row.real_time_factor)
    speeds = [row.real_time_factor * sample_rate for row in ordered]
    colours = [_FAST if row.real_time else _SLOW for row in ordered]
    axes.barh(range(len(ordered)), speeds, color=colours, height=0.68)
    slow = [speed * row.us_median / row.us_p99 for row, speed in zip(ordered, speeds, strict=True)]
    axes.hlines(range(len(ordered)), slow, speeds, colors=_INK, linewidth=1.2)
    axes.plot(slow, range(len(ordered)), "|", color=_INK, markersize=9)
    axes.set_yticks(range(len(ordered)), [_label(row) for row in ordered])
    axes.set_xscale("log")
    axes.set_xlim(min([*speeds, sample_rate]) / 3, max([*speeds, sample_rate]) * 9)
    for place, (row, speed) in enumerate(zip(ordered, speeds, strict=True)):
        axes.text(
            speed * 1.08,
            place,
            _value(row, speed),
            va="center",
            color=_INK,
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.axvline(sample_rate, color=_INK, linestyle="--", linewidth=1, zorder=0.5)
    axes.annotate(
        f"real time at {sample_rate / 1000:g} kHz",
        (sample_rate, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        color=_INK,
        fontsize=9,
    )
    axes.set_xlabel("samples per second of one stream: the median block, and | the slowest in 100")
    axes.set_title(printable(title), loc="left", pad=22, parse_math=False)  # it may hold dollars
    axes.spines[["top", "right"]].set_visible(False)


def _label(row: Row) -> str:
    extra = f", {row.batch} streams" if row.batch > 1 else ""
    extra += f", {row.threads} threads" if row.threads > 1 else ""
    return f"{row.engine} {row.precision}{extra}"


def _value(row: Row, speed: float) -> str:
    shown = f"{speed:,.0f}" if speed >= 100 else f"{speed:.2g}"
    return f"{shown}  ({row.real_time_factor:.3g}×)"
