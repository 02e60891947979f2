"""Columns tell of every frame which phone it is of, and where in it; and can be read back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wn_runtime.errors import WavestepError
from wn_runtime.speech import linguistic

PHONES = ("sil", "AA", "B")


def test_a_frame_knows_its_phone_and_its_neighbours() -> None:
    rows = linguistic.columns(("AA", "B"), [3, 1], PHONES)
    assert rows.shape == (4, len(linguistic.names(PHONES)))
    columns = dict(zip(linguistic.names(PHONES), rows.T, strict=True))
    np.testing.assert_array_equal(columns["phone AA"], [1, 1, 1, 0])
    np.testing.assert_array_equal(columns["phone before sil"], [1, 1, 1, 0])
    np.testing.assert_array_equal(columns["phone before AA"], [0, 0, 0, 1])
    np.testing.assert_array_equal(columns["phone after B"], [1, 1, 1, 0])
    np.testing.assert_array_equal(columns["phone after sil"], [0, 0, 0, 1])
    np.testing.assert_allclose(columns["phone position"], [1 / 6, 3 / 6, 5 / 6, 1 / 2], rtol=1e-6)
    np.testing.assert_allclose(columns["ln phone frame"], np.log([1, 2, 3, 1]), rtol=1e-6)
    np.testing.assert_allclose(columns["ln phone frames left"], np.log([3, 2, 1, 1]), rtol=1e-6)
    np.testing.assert_allclose(columns["ln phone frames"], np.log([3, 3, 3, 1]), rtol=1e-6)


@given(st.lists(st.tuples(st.sampled_from(PHONES), st.integers(1, 9)), min_size=1, max_size=12))
def test_columns_are_read_back(spoken: list[tuple[str, int]]) -> None:
    names, lengths = zip(*spoken, strict=True)
    found, frames = linguistic.phones_in(linguistic.columns(names, lengths, PHONES), PHONES)
    assert found == names
    assert frames.tolist() == list(lengths)


def test_what_are_no_columns_of_phones_is_one_line() -> None:
    rows = linguistic.columns(("AA",), [4], PHONES)
    rows[2, 0] = 1
    with pytest.raises(WavestepError, match="not those of whole phones"):
        linguistic.phones_in(rows, PHONES)
    with pytest.raises(WavestepError, match="not those of whole phones"):
        linguistic.phones_in(rows[1:], PHONES)


def test_a_phone_that_the_voice_lacks_is_named() -> None:
    with pytest.raises(WavestepError, match="phone 'ZH' is unknown; this voice has: sil, AA, B"):
        linguistic.columns(("ZH",), [1], PHONES)


@given(st.lists(st.floats(0.001, 0.2), min_size=1, max_size=20), st.integers(0, 40))
def test_every_phone_gets_a_frame_and_all_frames_are_given(each: list[float], more: int) -> None:
    ends = np.cumsum(each)
    total = max(len(each), round(ends[-1] / 0.01)) + more
    frames = linguistic.whole_frames(ends, 0.01, total)
    assert frames.min() >= 1
    assert frames.sum() == total


def test_borders_go_to_the_nearest_frame() -> None:
    assert linguistic.whole_frames([0.051, 0.058, 0.1], 0.01, 10).tolist() == [5, 1, 4]


def test_more_phones_than_frames_are_refused() -> None:
    with pytest.raises(WavestepError, match="3 phones do not fit into 2 frames"):
        linguistic.whole_frames([0.1, 0.2, 0.3], 0.01, 2)
