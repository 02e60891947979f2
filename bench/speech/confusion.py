"""What was heard for what was asked, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Confusion:
    """Of one head on one set of clips."""

    title: str
    values: tuple[str, ...]
    asked: NDArray[np.int64]
    """(n,) indices of values."""
    heard: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """(asked, heard): of the clips of a value, how many are heard as each; rows sum to 1."""
        counts = np.zeros((len(self.values),) * 2)
        np.add.at(counts, (self.asked, self.heard), 1)
        shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return shares

    @property
    def right(self) -> float:
        """Share of all clips."""
        return float((self.asked == self.heard).mean())


def picture(rows: Sequence[Sequence[Confusion]]) -> bytes:
    """A PNG of them, in percent. Needs matplotlib."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots(len(rows), len(rows[0]), squeeze=False)
        for row, line in zip(axes, rows, strict=True):
            for cell, confusion in zip(row, line, strict=True):
                _matrix(cell, confusion)

    return figures.drawn((5.2 * len(rows[0]), 4.8 * len(rows)), draw, "png", dpi=80)


def _matrix(axes: Axes, confusion: Confusion) -> None:
    percent = 100 * confusion.shares
    axes.imshow(percent, vmin=0, vmax=100, cmap="Blues")
    places = np.arange(len(confusion.values))
    axes.set_xticks(places, confusion.values, rotation=45)
    axes.set_yticks(places, confusion.values)
    axes.set_xlabel("heard")
    axes.set_ylabel("asked for")
    axes.set_title(f"{confusion.title}: {100 * confusion.right:.1f} %")
    for asked, heard in zip(*np.nonzero(percent), strict=True):
        value = percent[asked, heard]
        colour = "white" if value > 50 else "black"
        axes.text(heard, asked, f"{value:.0f}", color=colour, ha="center", va="center")
