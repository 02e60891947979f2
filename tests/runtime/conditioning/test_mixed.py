"""What a bias is mixed from is the bias: whole, in pieces, of some streams, beside a constant."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.models.specs import SPEAKER, random_mixed, small_spec
from tests.runtime.conditioning.stretching import CHANNELS, EVERY, frames_for
from tests.runtime.conditioning.test_stretched import weights_of
from wn_runtime.conditioning.conditioner import Conditioner, Values, pieces
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.part import Rows
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.spec import ModelSpec

SPEC = small_spec(conditions=(SPEAKER,))
SHAPE = (SPEC.layers, 2, SPEC.gate_channels)
LINEAR = [name for name, each in EVERY.items() if each.slope == 1 and each.frequency == 1]
LOCAL = LocalFrames(CHANNELS, EVERY["plain"].hop, 2, (1,), False, "linear", 2)


def by_definition(mixed: Mixed) -> Rows:
    each = mixed.rows[np.arange(len(mixed.mix)) // mixed.held]  # (P, K, L, B, G)
    found: Rows = np.einsum("pbk,pklbg->plbg", mixed.mix, each)
    return found


def both(
    spec: ModelSpec, conditions: dict[str, Values], count: int, streams: int = 2
) -> tuple[Rows | Mixed | None, Rows | None]:
    """The first block of `count` frames, as it is asked for and not."""
    timing = Timing.of(spec.conditioning)
    size = count * timing.hop
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((timing.frames(size), streams, CHANNELS)).astype(np.float32)
    conditioner = Conditioner(spec, weights_of(spec))
    state = conditioner.start(conditions, streams)
    asked = conditioner.block(state, size, frames, None, mixed=True)
    plain = conditioner.block(state, size, frames)
    for name, array in plain[1].items():
        np.testing.assert_array_equal(asked[1][name], array)
    return asked[0], plain[0]


@pytest.mark.parametrize(("samples", "frames", "parts"), [(32, 1, 3), (12, 4, 1), (35, 5, 5)])
def test_its_rows_are_the_sums(samples: int, frames: int, parts: int) -> None:
    mixed = random_mixed(SPEC, 2, samples, frames, parts)
    assert mixed.held == samples // frames
    dense = mixed.dense()
    assert dense.dtype == np.float32
    np.testing.assert_allclose(dense, by_definition(mixed), atol=1e-6)


def test_every_piece_is_that_of_the_rows() -> None:
    size, mixed = 12, random_mixed(SPEC, 2, 12, 3)
    whole = by_definition(mixed)
    for start, end in itertools.combinations(range(size + 1), 2):
        found = pieces(mixed, size, start, end - start)
        assert len(found) <= 3
        dense = []
        for piece, samples in found:
            assert isinstance(piece, Mixed)
            assert piece.fits(SHAPE, samples)
            dense.append(by_definition(piece))
        np.testing.assert_array_equal(np.concatenate(dense), whole[start:end])


def test_of_some_streams_and_beside_a_constant() -> None:
    mixed = random_mixed(SPEC, 2, 12, 3)
    whole = by_definition(mixed)
    np.testing.assert_array_equal(by_definition(mixed.streams([1])), whole[:, :, [1]])
    np.testing.assert_array_equal(by_definition(mixed.streams(slice(1))), whole[:, :, :1])
    constant = np.random.default_rng(2).standard_normal((1, *SHAPE)).astype(np.float32)
    more = mixed.plus(constant)
    assert more.fits(SHAPE, 12)
    np.testing.assert_allclose(by_definition(more), whole + constant, atol=1e-6)


def test_another_shape_does_not_fit() -> None:
    mixed = random_mixed(SPEC, 2, 12, 3)
    rows, mix = mixed.rows, mixed.mix
    assert mixed.fits(SHAPE, 12)
    for wrong in (
        Mixed(rows[:, :2], mix),
        Mixed(rows[:, :, 1:], mix),
        Mixed(rows[:0], mix),
        Mixed(rows[0], mix),
        Mixed(rows[:, :0], mix[:, :, :0]),
        Mixed(rows, mix[1:]),
        Mixed(rows, mix[:, :1]),
        Mixed(rows, mix[0]),
    ):
        assert not wrong.fits(SHAPE, 12)
    assert not mixed.fits(SHAPE, 13)


@pytest.mark.parametrize("name", EVERY)
def test_linear_stages_are_mixed_where_it_is_asked_for(name: str) -> None:
    spec = small_spec(conditioning=(EVERY[name],))
    conditioner, timing = Conditioner(spec, weights_of(spec)), Timing.of(spec.conditioning)
    state, frames = conditioner.start({}, 3), frames_for(EVERY[name], 4 * timing.hop, 3)
    frames[-1, 1] = conditioner.padding  # one stream ends within the block's reach
    asked, _ = conditioner.block(state, 4 * timing.hop, frames, None, mixed=True)
    dense, _ = conditioner.block(state, 4 * timing.hop, frames)
    assert dense is not None
    assert isinstance(asked, Mixed) == (name in LINEAR)
    found = by_definition(asked) if isinstance(asked, Mixed) else asked
    assert found is not None
    np.testing.assert_allclose(found, dense, atol=1e-6 * np.abs(dense).max())


def test_where_there_are_more_parts_than_samples_rows_are_less() -> None:
    asked, _ = both(small_spec(conditioning=(StretchedFrames(CHANNELS, (2,), (2,), (2,)),)), {}, 3)
    assert isinstance(asked, np.ndarray)


def test_a_speaker_beside_frames_is_one_part_more() -> None:
    parts = (GlobalConditions((SPEAKER,)), EVERY["plain"])
    alone, _ = both(small_spec(conditioning=parts[1:]), {}, 3)
    for order in (parts, parts[::-1]):
        asked, dense = both(small_spec(conditioning=order), {"speaker": ["bob", None]}, 3)
        assert isinstance(alone, Mixed)
        assert isinstance(asked, Mixed)
        assert dense is not None
        assert asked.rows.shape[1] == alone.rows.shape[1] + 1
        np.testing.assert_allclose(by_definition(asked), dense, atol=1e-6 * np.abs(dense).max())


def test_beside_other_frames_there_are_rows() -> None:
    asked, dense = both(small_spec(conditioning=(EVERY["plain"], LOCAL)), {}, 3)
    assert isinstance(asked, np.ndarray)
    assert dense is not None
    np.testing.assert_array_equal(asked, dense)
