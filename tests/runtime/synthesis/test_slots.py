"""Each voice of a batch is a slot: begun, kept and moved by itself, as if it were alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wn_runtime
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.model import Model

SPEAKERS = ["ann", "bob", "eve"]


def test_voices_of_one_seed_are_that_seeds_own_streams(model: Model, trio: Model) -> None:
    audio = trio.stream(seed=9, speaker=SPEAKERS).read(250)
    assert audio.shape == (250, 3)
    assert np.array_equal(audio[:, :1], model.stream(seed=9, speaker="ann").read(250))
    alike = trio.stream(seed=9, speaker="ann").read(250)
    assert not np.array_equal(alike[:, 1], alike[:, 2])


def test_voices_with_a_seed_each_are_single_streams_of_those_seeds(
    model: Model, trio: Model
) -> None:
    seeds, temperatures = [5, 7, 5], [1.0, 0.0, 0.6]
    audio = trio.stream(seeds, temperatures, speaker=SPEAKERS, mood="calm").read(250)
    for voice in range(3):
        alone = model.stream(
            seeds[voice], temperatures[voice], speaker=SPEAKERS[voice], mood="calm"
        )
        assert np.array_equal(audio[:, [voice]], alone.read(250)), voice


@pytest.mark.parametrize("engine", ["onnx", "native"])
def test_a_slot_is_begun_anew_and_the_others_do_not_notice(directory: Path, engine: str) -> None:
    with (
        wn_runtime.open(directory, engine) as model,
        wn_runtime.open(directory, engine, batch=3) as trio,
    ):
        undisturbed = trio.stream(seed=1, speaker="eve").read_samples(300)
        stream = trio.stream(seed=1, speaker="eve")
        before = stream.read_samples(100)
        stream.reset(slots=[1], seed=[42], temperature=0.8, speaker="bob")
        after = stream.read_samples(200)
        made = np.concatenate([before, after])
        assert np.array_equal(made[:, [0, 2]], undisturbed[:, [0, 2]])
        alone = model.stream(42, 0.8, speaker="bob").read_samples(200)
        assert np.array_equal(after[:, [1]], alone)
        # One seed for all of them: each slot has its own stream of it, as from the start.
        stream.reset(slots=[2, 0], seed=42, speaker=["ann", "bob"])
        again = stream.read_samples(150)
        anew = trio.stream(seed=42, speaker=["bob", "ann", "ann"]).read_samples(150)
        assert np.array_equal(again[:, [0, 2]], anew[:, [0, 2]])


def test_a_voice_moves_to_a_slot_of_another_batch(model: Model, trio: Model) -> None:
    source = trio.stream([1, 2, 3], [1.0, 0.5, 0.7], speaker=SPEAKERS)
    source.read(60)
    kept = source.snapshot(slots=[2])
    onward = source.read(200)
    single = model.stream(seed=8).restore(kept)
    assert single.position == 60
    assert np.array_equal(single.read(200), onward[:, [2]])

    target = trio.stream(seed=8, speaker="bob")
    undisturbed = trio.stream(seed=8, speaker="bob").read(240)
    target.read(40)
    target.restore(kept, slots=[1])
    assert target.position == 60
    moved = target.read(200)
    assert np.array_equal(moved[:, 1], onward[:, 2])
    assert np.array_equal(moved[:, [0, 2]], undisturbed[40:, [0, 2]])


def test_a_single_stream_goes_on_as_one_voice_of_a_batch(model: Model, trio: Model) -> None:
    single = model.stream(seed=4, temperature=0.8, speaker="eve", mood="calm+loud")
    single.read(77)
    kept = single.snapshot()
    onward = single.read(100)
    assert np.array_equal(trio.stream().restore(kept, slots=[2]).read(100)[:, [2]], onward)


def test_voices_change_places(trio: Model) -> None:
    stream = trio.stream([1, 2, 3], [1.0, 0.5, 0.7], speaker=SPEAKERS)
    stream.read(50)
    kept = stream.snapshot()
    onward = stream.read(100)
    stream.restore(kept, slots=[2, 0, 1])
    assert np.array_equal(stream.read(100)[:, [2, 0, 1]], onward)
    turned = stream.restore(kept).snapshot(slots=[1, 2, 0])
    assert [voice.seed for voice in turned.voices] == [2, 3, 1]
    assert np.array_equal(trio.stream().restore(turned).read(100), onward[:, [1, 2, 0]])


def test_a_snapshot_is_as_good_however_often_it_is_used(trio: Model) -> None:
    stream = trio.stream(seed=1, speaker=SPEAKERS)
    stream.read(50)
    kept = stream.snapshot()
    onward = stream.read(100)
    for _ in range(2):
        stream.restore(kept)
        stream.reset(slots=[0], seed=6)
        stream.read(30)
        assert np.array_equal(trio.stream().restore(kept).read(100), onward)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"slots": [3]}, "slot 3 is out of range; there are 3: 0 to 2"),
        ({"slots": [0, 0]}, "name each once"),
        ({"slots": [0, 1], "seed": [1]}, "seed has 1 values for 2 streams"),
        ({"slots": [0, 1], "speaker": SPEAKERS}, "speaker has 3 values for 2 streams"),
        ({"slots": [0], "speaker": "zoe"}, "speaker 'zoe' is unknown"),
        ({"slots": [0], "accent": 1}, "condition 'accent' is unknown"),
        ({"slots": [0, 1], "temperature": [1.0, -1.0]}, "temperature is -1"),
        ({"slots": [0, 1], "temperature": [1.0]}, "one for each of 2 streams"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"speaker": "zoe"}, "speaker 'zoe' is unknown"),
    ],
)
def test_a_reset_that_cannot_be_is_an_error_and_changes_nothing(
    trio: Model, settings: dict[str, Any], message: str
) -> None:
    expected = trio.stream(seed=1, speaker=SPEAKERS).read(120)
    stream = trio.stream(seed=1, speaker=SPEAKERS)
    begin = stream.read(40)
    with pytest.raises(WavestepError, match=message):
        stream.reset(**settings)
    assert np.array_equal(np.concatenate([begin, stream.read(80)]), expected)


def test_a_snapshot_of_another_number_of_voices_is_an_error_and_changes_nothing(
    model: Model, trio: Model
) -> None:
    expected = trio.stream(seed=1).read(120)
    stream = trio.stream(seed=1)
    begin, one = stream.read(40), model.stream().snapshot()
    with pytest.raises(WavestepError, match="the snapshot holds 1 voices for 3 slots"):
        stream.restore(one)
    with pytest.raises(WavestepError, match="the snapshot holds 1 voices for 2 slots"):
        stream.restore(one, slots=[0, 1])
    with pytest.raises(WavestepError, match="slot -1 is out of range"):
        stream.restore(one, slots=[-1])
    with pytest.raises(WavestepError, match="slot 3 is out of range"):
        stream.snapshot(slots=[3])
    assert np.array_equal(np.concatenate([begin, stream.read(80)]), expected)
