"""The picture of what was extracted: names of short phones do not run into one another."""

from __future__ import annotations

import pytest

from wn_runtime.speech.labels import Segment
from wn_train import figures
from wn_train.features.plot import draw_phones

pytest.importorskip("matplotlib", reason="matplotlib is not installed")


def test_the_names_of_short_phones_do_not_touch() -> None:
    figure = figures.load().figure.Figure(figsize=(10, 3))
    axes = figure.subplots()
    axes.set_xlim(0, 2)
    ends = [0.2, 0.98, 1.0, 1.03, 1.06, 2.0]
    starts = [0.0, *ends[:-1]]
    names = ["sil", "AH", "S", "sil", "S", "UW"]
    draw_phones(axes, [Segment(*each) for each in zip(names, starts, ends, strict=True)])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == len(names)
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i]), names[i]
