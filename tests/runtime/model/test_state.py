"""A state is a value of named arrays; streams are taken out and put in by slot."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.specs import CORNERS
from wn_runtime.errors import WavestepError
from wn_runtime.model import layout as layouts
from wn_runtime.model import state as states
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State

SPEC = CORNERS["uneven"]  # k = 3, k0 = 2, dilations of 9 together, 11 classes


def numbered(streams: int, first: int = 0) -> State:
    """A state in which every stream has its number everywhere."""
    state = layouts.initial(SPEC, streams)
    for array in state.values():
        array[:] = first + np.arange(streams).reshape(-1, *[1] * (array.ndim - 2))
    return state


def test_a_stream_begins_in_silence_with_empty_delay_lines() -> None:
    state = layouts.initial(SPEC, 2)
    assert state[SAMPLES].shape == (2, 2)
    assert state[SAMPLES].dtype == np.int32
    assert (state[SAMPLES] == SPEC.output.silence).all()
    assert state[DELAY_LINES].shape == (2 * 9, 2, 7)
    assert not state[DELAY_LINES].any()


def test_the_layout_counts_a_streams_bytes() -> None:
    bytes_of = {name: array.stream_bytes for name, array in layouts.layout(SPEC).items()}
    assert bytes_of == {SAMPLES: 2 * 4, DELAY_LINES: 18 * 7 * 4}


def test_slots_go_where_they_are_put_and_nothing_else_moves() -> None:
    state = numbered(4)
    taken = states.take(state, [3, 1])
    put = states.put(state, [2, 0], taken)
    for name, array in put.items():
        assert (array[0].reshape(4, -1)[:, 0] == [1, 1, 3, 3]).all(), name
        array[:] = 9
    assert (states.take(state, [3, 1])[SAMPLES] == [3, 1]).all()  # copies, both ways
    assert (taken[SAMPLES] == [3, 1]).all()


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ([0, 4], "slot 4 is out of range; there are 4: 0 to 3"),
        ([-1], "slot -1 is out of range"),
        ([1, 2, 1], r"slots are \[1, 2, 1\]; name each once"),
    ],
)
def test_slots_that_are_not_there_are_told(slots: list[int], message: str) -> None:
    with pytest.raises(WavestepError, match=message):
        states.check_slots(slots, 4)


def test_all_slots_are_meant_when_none_is_named() -> None:
    assert states.check_slots(None, 3) == [0, 1, 2]
    assert states.check_slots([], 3) == []


def test_a_state_takes_the_types_it_must_have() -> None:
    state = numbered(2)
    wide: State = {name: array.astype("f8") for name, array in state.items()}
    checked = layouts.check(wide, SPEC, 2)
    assert [checked[name].dtype for name in (SAMPLES, DELAY_LINES)] == [np.int32, np.float32]
    assert all(np.array_equal(checked[name], state[name]) for name in state)


def test_a_state_of_another_model_or_batch_is_told() -> None:
    state = numbered(2)
    with pytest.raises(WavestepError, match="holds samples; this model's has delay_lines, samples"):
        layouts.check({SAMPLES: state[SAMPLES]}, SPEC, 2)
    with pytest.raises(WavestepError, match="holds nothing"):
        layouts.check({}, SPEC, 2)
    with pytest.raises(WavestepError, match=r"\(2, 2\); this model with 1 stream has \(2, 1\)"):
        layouts.check(state, SPEC, 1)
    with pytest.raises(WavestepError, match=r"delay_lines of the state is .* with 2 streams has"):
        layouts.check({**state, DELAY_LINES: state[DELAY_LINES][1:]}, SPEC, 2)
    state[SAMPLES][0, 0] = 11
    with pytest.raises(WavestepError, match=r"samples of the state are .* 11; .* 0 to 10"):
        layouts.check(state, SPEC, 2)
