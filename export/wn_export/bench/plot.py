"""The bench as a picture: samples per second of every row, and where real time begins."""

from __future__ import annotations

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
_FAST, _SLOW, _INK = "#2a7f62", "#b5523b", "#333333"


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


def plot(kind: str, rows: Sequence[Row], sample_rate: int, title: str) -> bytes:
    """The picture as a file; kind: one of FORMATS."""
    size = (9, 1.6 + 0.42 * len(rows))
    return figures.drawn(
        size, lambda figure: draw(figure, rows, sample_rate, title), kind.lstrip("."), dpi=150
    )


def draw(figure: Figure, rows: Sequence[Row], sample_rate: int, title: str) -> None:
    """A bar for each row, on a logarithmic axis of samples per second of one stream."""
    axes = figure.subplots()
    ordered = sorted(rows, key=lambda row: row.real_time_factor)
    speeds = [row.real_time_factor * sample_rate for row in ordered]
    colours = [_FAST if row.real_time else _SLOW for row in ordered]
    axes.barh(range(len(ordered)), speeds, color=colours, height=0.68)
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
    axes.set_xlabel("samples per second of one stream")
    axes.set_title(printable(title), loc="left", pad=22, parse_math=False)  # it may hold dollars
    axes.spines[["top", "right"]].set_visible(False)


def _label(row: Row) -> str:
    extra = f", {row.batch} streams" if row.batch > 1 else ""
    extra += f", {row.threads} threads" if row.threads > 1 else ""
    return f"{row.engine} {row.precision}{extra}"


def _value(row: Row, speed: float) -> str:
    shown = f"{speed:,.0f}" if speed >= 100 else f"{speed:.2g}"
    return f"{shown}  ({row.real_time_factor:.3g}×)"
