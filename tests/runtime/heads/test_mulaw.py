"""mu-law: its own inverse on classes, nearest on samples, odd about silence."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.heads import mulaw


@pytest.mark.parametrize("classes", [2, 3, 16, 255, 256, 1024])
def test_every_class_decodes_to_a_sample_that_encodes_to_it(classes: int) -> None:
    every = np.arange(classes)
    assert np.array_equal(mulaw.encode(mulaw.decode(every, classes), classes), every)
    table = mulaw.decode_table(classes)
    assert (table[0], table[-1]) == (-1, 1)
    assert (np.diff(table) > 0).all()
    np.testing.assert_allclose(table, -table[::-1], atol=1e-7)


def test_the_curve_is_mu_laws() -> None:
    x = np.linspace(-1, 1, 1001)
    companded = np.sign(x) * np.log(1 + 255 * np.abs(x)) / np.log(256)
    steps = mulaw.encode(x) - (companded + 1) / 2 * 255
    assert np.abs(steps).max() <= 0.5 + 1e-9


def test_silence_is_the_middle_class_and_beyond_full_scale_is_clipped() -> None:
    assert mulaw.encode(np.zeros(1))[0] == 128
    assert abs(mulaw.decode(np.array([128]))[0]) < 1e-4
    assert mulaw.encode(np.array([-9.0, 9.0])).tolist() == [0, 255]
