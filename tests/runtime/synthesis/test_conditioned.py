"""A stream's conditioning comes in blocks of its own; single voices change between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models.specs import small_spec
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.part import Frames, Rows, Value
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.errors import WavestepError
from wn_runtime.model.state import State
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_runtime.synthesis.snapshot import Snapshot, Voice

BLOCK = 8


class Newest(ConditionerSpec):
    """The bias of a block is the newest sample of the block before, and the number of the block."""

    kind = "newest"
    uses_history = True
    hop = BLOCK

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        return {}

    def part(self, layers: int, gate_channels: int, weights: Mapping[str, Any]) -> NewestPart:
        return NewestPart()


class NewestPart:
    def start(self, values: Mapping[str, Sequence[Value | None]], streams: int) -> State:
        return {"block": np.zeros((1, streams), np.float32)}

    def block(
        self, state: State, samples: int, frames: Frames | None, history: NDArray[Any] | None
    ) -> tuple[Rows, State]:
        assert history is not None
        bias = np.zeros((1, SPEC.layers, history.shape[1], SPEC.gate_channels), np.float32)
        bias[0, 0, :, 0], bias[0, 0, :, 1] = history[-1], state["block"][0]
        return bias, {"block": state["block"] + 1}


SPEC = small_spec(conditioning=(Newest(),))
SILENCE = SPEC.output.silence


def blocks_of(streams: int) -> ConditionedBlocks:
    return ConditionedBlocks(Conditioner(SPEC, {}), SPEC, streams)


def make(blocks: ConditionedBlocks, *samples: int, count: int = BLOCK) -> list[tuple[int, int]]:
    """Make `count` samples of these values, one a voice; each voice's bias and block number."""
    seen = []
    while count:
        bias, own = blocks.next(count)
        assert bias is not None
        assert own % len(bias) == 0
        seen.append([(int(voice[0]), int(voice[1])) for voice in bias[-1, 0]])
        blocks.advance(np.tile(np.array(samples, np.int32), (own, 1)))
        count -= own
    assert all(each == seen[0] for each in seen)
    return seen[0]


def snapshot_of(blocks: ConditionedBlocks, *slots: int) -> Snapshot:
    voices = tuple(Voice(0, slot, 1.0) for slot in slots)
    return blocks.snapshot(slots, voices, {}, np.zeros(len(slots)))


def test_each_block_sees_the_samples_of_the_one_before() -> None:
    blocks = blocks_of(2)
    assert make(blocks, 3, 5) == [(SILENCE, 0), (SILENCE, 0)]
    assert make(blocks, 4, 6) == [(3, 1), (5, 1)]
    for count in (1, 2, 5):  # one block, in three calls
        assert make(blocks, 7, 8, count=count) == [(4, 2), (6, 2)]
    assert make(blocks, 1, 1) == [(7, 3), (8, 3)]


def test_a_snapshot_within_a_block_goes_on_the_same() -> None:
    blocks = blocks_of(2)
    make(blocks, 3, 5)
    make(blocks, 4, 6, count=5)
    kept = snapshot_of(blocks, 0, 1)
    make(blocks, 9, 9, count=3)
    blocks.restore(None, kept)
    assert make(blocks, 7, 8, count=3) == [(3, 1), (5, 1)]
    assert make(blocks, 1, 1) == [(7, 2), (8, 2)]


def test_a_voice_that_is_reset_has_silence_before_it() -> None:
    blocks = blocks_of(2)
    make(blocks, 3, 5)
    blocks.reset([1], {})
    assert make(blocks, 1, 1) == [(3, 1), (SILENCE, 0)]


def test_a_voice_that_is_restored_brings_its_own_samples() -> None:
    source, target, fresh = blocks_of(2), blocks_of(2), blocks_of(2)
    make(source, 3, 5)
    make(source, 4, 6)
    kept = snapshot_of(source, 1)
    make(target, 9, 9)
    target.restore([0], kept)
    assert make(target, 1, 1) == [(6, 2), (9, 1)]
    fresh.restore([0], kept)
    assert make(fresh, 1, 1) == [(6, 2), (SILENCE, 0)]


def test_a_snapshot_that_was_restored_is_not_written_to() -> None:
    blocks = blocks_of(2)
    make(blocks, 3, 5)
    kept = snapshot_of(blocks, 0, 1)
    blocks.restore(None, kept)
    blocks.reset([0], {})
    blocks.restore(None, kept)
    assert make(blocks, 1, 1) == [(3, 1), (5, 1)]


def test_single_voices_change_between_blocks_only_and_else_nothing_does() -> None:
    blocks = blocks_of(2)
    between = snapshot_of(blocks, 0)
    make(blocks, 3, 5, count=5)
    within = snapshot_of(blocks, 0)
    with pytest.raises(WavestepError, match="between blocks of the conditioner only: in 3 samples"):
        blocks.reset([1], {})
    with pytest.raises(WavestepError, match="between blocks of the conditioner only: in 3 samples"):
        blocks.restore([1], between)
    make(blocks, 3, 5, count=3)
    with pytest.raises(WavestepError, match="the snapshot was taken inside a block"):
        blocks.restore([1], within)
    assert make(blocks, 1, 1) == [(3, 1), (5, 1)]


def test_no_frames_are_taken_by_a_model_without() -> None:
    with pytest.raises(WavestepError, match="this model takes no frames"):
        blocks_of(1).push(np.zeros((3, 2), np.float32), last=False)
