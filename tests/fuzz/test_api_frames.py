"""A stream of frames with wrong values: refused, and nothing has changed; snapshots above all.

Two streams are the same but for the calls that are refused; both go on alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wn_runtime
from tests.fuzz.anything import BRIEF
from tests.fuzz.mutate.npz import CHANGES
from tests.fuzz.test_api import ODD, refused
from tests.fuzz.world import World
from wn_runtime.synthesis.model import Model
from wn_runtime.synthesis.snapshot import Snapshot
from wn_runtime.synthesis.stream import Stream

FRAMES = np.random.default_rng(0).standard_normal((40, 2, 3)).astype(np.float32)
FIELDS = [field.name for field in dataclasses.fields(Snapshot)]
CALLED = {"network": "state", "conditioner": "condition", "voices": "voice"}
"""What an error calls a field, where it is not its name."""


@pytest.fixture(scope="module")
def model(world: World) -> Iterator[Model]:
    with wn_runtime.open(world.root / "vocoder", "onnx", batch=2) as model:
        yield model


def begun(model: Model) -> Stream:
    """In the middle of a block, frames left, the end to come."""
    stream = model.stream(seed=3, speaker="ann", frames=FRAMES[:12])
    stream.read(9)
    return stream


def same_end(stream: Stream, twin: Stream) -> None:
    assert stream.position == twin.position
    assert stream.available == twin.available
    for each in (stream, twin):
        each.push(FRAMES[12:], last=True)
    rest = twin.available
    assert rest is not None
    assert np.array_equal(stream.read(rest), twin.read(rest))


@pytest.mark.parametrize("change", CHANGES)
def test_frames_that_are_none_are_refused_or_taken_whole(model: Model, change: str) -> None:
    with np.errstate(all="ignore"):
        changed = CHANGES[change](FRAMES[:12])
    with begun(model) as stream, begun(model) as twin:
        if not refused("frames", lambda: stream.push(changed)):
            twin.push(np.asarray(changed, np.float32))
        same_end(stream, twin)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", FIELDS)
def test_a_snapshot_of_odd_parts_is_refused_and_changes_nothing(
    model: Model, field: str, odd: str
) -> None:
    with begun(model) as stream, begun(model) as twin:
        spoilt = dataclasses.replace(stream.snapshot(), **{field: ODD[odd]})
        if refused(CALLED.get(field, field), lambda: stream.restore(spoilt)):
            same_end(stream, twin)


@BRIEF
@given(
    field=st.sampled_from(["frames", "bias", "history", "conditioner", "network"]),
    change=st.sampled_from(sorted(CHANGES)),
)
def test_a_snapshot_whose_arrays_are_others_is_refused_or_taken_whole(
    model: Model, field: str, change: str
) -> None:
    with begun(model) as stream, begun(model) as twin:
        taken = stream.snapshot()
        spoilt = dataclasses.replace(taken, **{field: _changed(getattr(taken, field), change)})
        if refused(CALLED.get(field, field), lambda: stream.restore(spoilt)):
            same_end(stream, twin)
        else:  # then it is a snapshot: what it says goes on, the same each time
            twin.restore(spoilt)
            rest = min(9, stream.available or 0)
            assert np.array_equal(stream.read(rest), twin.read(rest))


def test_a_snapshot_of_a_model_without_frames_is_refused(model: Model, world: World) -> None:
    with wn_runtime.open(world.root / "voice", "onnx", batch=2) as other:
        snapshot = other.stream(seed=1).snapshot()
    with begun(model) as stream, begun(model) as twin:
        assert refused("snapshot", lambda: stream.restore(snapshot))
        same_end(stream, twin)


def _changed(value: Any, change: str) -> Any:
    with np.errstate(all="ignore"):
        if isinstance(value, np.ndarray):
            return CHANGES[change](value)
        return {name: CHANGES[change](array) for name, array in value.items()}
