"""The plot shows every row, and where real time is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from wn_export.bench.measure import Row
from wn_export.bench.plot import check_plot, draw, plot
from wn_runtime.errors import WavestepError

ROWS = [
    Row("native", "int8", 1, 1, 90000, 11, 15, 11.0, 20, 0.001),
    Row("onnx", "fp32", 2, 4, 6000, 166, 200, 0.75, 400, 0.0),
]


def test_rows_are_bars_from_slow_to_fast_in_two_colours() -> None:
    figure = Figure()
    draw(figure, ROWS, 8000, "voice on a CPU")
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["onnx fp32, 2 streams, 4 threads", "native int8"]
    widths = [patch.get_window_extent().width for patch in axes.patches]
    assert widths == sorted(widths)
    assert axes.get_xscale() == "log"
    slowest, real_time = axes.lines
    speeds = [0.75 * 8000 * 166 / 200, 11.0 * 8000 * 11 / 15]  # 99 of 100 blocks are faster
    np.testing.assert_allclose(np.asarray(slowest.get_xdata()), speeds)
    np.testing.assert_array_equal(real_time.get_xdata(), [8000, 8000])
    slow, fast = (bar.get_facecolor() for bar in axes.patches)
    assert slow != fast


def test_the_picture_is_whole() -> None:
    picture = imread(io.BytesIO(plot(".png", ROWS, 8000, "voice on a CPU")))
    assert picture.shape[1] > 1000
    assert picture[..., :3].std() > 0


@pytest.mark.parametrize("kind", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("name", ["$\\frac$", "$", "\\", "a\nb", "\x1b[31m", "𝄞 \u202e", "{", "%s"])
def test_a_name_is_text_and_nothing_else(kind: str, name: str) -> None:
    assert plot(kind, ROWS, 8000, name, [name])


def test_what_is_said_below_makes_it_taller() -> None:
    plain = imread(io.BytesIO(plot(".png", ROWS, 8000, "voice")))
    said = imread(
        io.BytesIO(plot(".png", ROWS, 8000, "voice", ["load 3", "warning: " + "x " * 90]))
    )
    assert said.shape[0] > plain.shape[0]


def test_a_plot_that_could_not_be_written_is_told_beforehand(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"bench\.txt: a plot is written as \.png"):
        check_plot(tmp_path / "bench.txt")
