"""The network over rows: shapes that are checked, and what a convolution at the ends sees."""

from __future__ import annotations

import numpy as np

from wn_runtime.speech import conv_net


def test_a_row_sees_as_far_as_the_widths_reach() -> None:
    table = conv_net.shapes("net", 2, 4, 2, 3, 1)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in table.items()}
    rows = rng.normal(size=(9, 2)).astype(np.float32)
    before = conv_net.apply("net", 2, weights, rows)
    changed = rows.copy()
    changed[0] += 1
    after = conv_net.apply("net", 2, weights, changed)
    different = np.flatnonzero((before != after).any(axis=1))
    assert different.max() <= 2
    assert different.min() == 0


def test_without_weights_the_output_is_its_bias() -> None:
    table = conv_net.shapes("net", 2, 4, 1, 3, 3)
    weights = {name: np.zeros(shape, np.float32) for name, shape in table.items()}
    weights["net.output.bias"][:] = [1, 2, 3]
    found = conv_net.apply("net", 1, weights, np.ones((5, 2), np.float32))
    np.testing.assert_array_equal(found, np.tile([1, 2, 3], (5, 1)))
