"""Linear codes: their own inverse, nearest, silence in the middle; 65,536 are 16-bit samples."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.heads import linear, pcm16
from wn_runtime.heads.softmax import Softmax


@pytest.mark.parametrize("classes", [2, 3, 16, 255, 256, 1024, 65536])
def test_every_class_decodes_to_a_sample_that_encodes_to_it(classes: int) -> None:
    every = np.arange(classes)
    audio = linear.decode(every, classes)
    assert np.array_equal(linear.encode(audio, classes), every)
    assert audio[classes // 2] == 0
    np.testing.assert_allclose(np.diff(audio), 1 / (classes // 2), rtol=1e-4)
    beyond = linear.encode(np.array([-9.0, 9.0]), classes)
    assert beyond.tolist() == [0, classes - 1]


def test_65536_classes_are_the_16_bit_samples() -> None:
    assert np.array_equal(linear.decode(np.arange(65536), 65536), pcm16.every())


@pytest.mark.parametrize(
    "head",
    [Softmax(), Softmax(1024), Softmax(65536), Softmax(256, "linear"), Softmax(65536, "linear")],
)
def test_levels_are_the_16_bit_samples_of_each_class(head: Softmax) -> None:
    codes = head.encode(pcm16.every())
    counts = {code: int(n) for code, n in zip(*np.unique(codes, return_counts=True), strict=True)}
    levels = head.levels(codes)
    assert sum(counts.values()) == 65536
    assert all(counts[code] == level for code, level in zip(codes, levels, strict=True))


def test_a_coding_is_named() -> None:
    with pytest.raises(ValueError, match="coding 'alaw' is unknown"):
        Softmax(256, "alaw")
