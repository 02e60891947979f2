"""How long blocks took: a panel a model and precision, in it a histogram a number of threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from wn_train import figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Taken = Mapping[int, Sequence[float]]
"""Number of threads to the seconds of each block."""
BLOCK_S = 0.01
"""Of sound in a block."""
_BINS, _LATEST = 60, 0.995
"""Of a panel; and the share of blocks within it, as one in a thousand may be any length."""
_COLOURS = ("#666666", "#2a7f62", "#b5523b", "#3b5fb5")


def picture(panels: Mapping[str, Taken], title: str, columns: int = 3) -> bytes:
    """A .png of all panels, `columns` a row."""
    rows = -(-len(panels) // columns)

    def draw(figure: Figure) -> None:
        axes = figure.subplots(rows, columns, squeeze=False)
        for panel, (name, taken) in zip(axes.flat, panels.items(), strict=False):
            _panel(panel, name, taken)
        for unused in list(axes.flat)[len(panels) :]:
            unused.set_axis_off()
        figure.suptitle(title, x=0.01, ha="left", fontsize=10)
        figure.supxlabel(f"milliseconds of a block of {BLOCK_S * 1000:g} ms of sound", fontsize=9)

    return figures.drawn((4 * columns, 2.1 * rows + 0.6), draw, "png", dpi=90)


def _panel(axes: Axes, name: str, taken: Taken) -> None:
    latest = 1000 * max(float(np.quantile(each, _LATEST)) for each in taken.values())
    edges = np.linspace(0, latest, _BINS + 1).tolist()
    for place, (threads, each) in enumerate(taken.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        milliseconds = 1000 * np.asarray(each)
        label = f"{threads} thread{'s' * (threads > 1)}: {np.median(milliseconds):.2f} ms"
        axes.hist(milliseconds, edges, histtype="stepfilled", color=colour, alpha=0.35)
        axes.hist(milliseconds, edges, histtype="step", color=colour, label=label)
        axes.axvline(float(np.quantile(milliseconds, 0.99)), color=colour, linestyle=":")
    axes.set_title(f"{name}   (dotted: 99 of 100 are faster)", loc="left", fontsize=8)
    axes.legend(fontsize=7, frameon=False)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right", "left"]].set_visible(False)
