"""How conditioners lie in time together: each gets what it needs, none less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models.specs import SPEAKER
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.part import ConditionerPart
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.conditioning.timing import Timing


@dataclass(frozen=True)
class Timed(ConditionerSpec):
    """A conditioner that is nothing but its timing."""

    hop: int = 0
    lookahead: int = 0
    block: int = 1
    memory: int = 0
    frame_channels: int = 0
    uses_history: bool = False

    def shapes(self, layers: int, gate_channels: int) -> dict[str, tuple[int, ...]]:
        return {}

    def part(
        self, layers: int, gate_channels: int, weights: Mapping[str, NDArray[np.float32]]
    ) -> ConditionerPart:
        raise NotImplementedError


SPEAKERS = GlobalConditions((SPEAKER,))
FRAMES = Timed(hop=80, lookahead=160, block=80, memory=240, frame_channels=20)
HISTORY = Timed(hop=32, block=32, memory=64, uses_history=True)


@pytest.mark.parametrize("conditioning", [(), (SPEAKERS,)])
def test_what_holds_for_a_whole_stream_asks_for_nothing(
    conditioning: tuple[ConditionerSpec, ...],
) -> None:
    timing = Timing.of(conditioning)
    assert timing == Timing(1, 0, 1, 0, 0, False)


def test_one_conditioners_timing_is_the_models() -> None:
    assert Timing.of([SPEAKERS, FRAMES]) == Timing(80, 160, 80, 240, 20, False)
    assert Timing.of([HISTORY, SPEAKERS]) == Timing(1, 0, 32, 64, 0, True, context=64)


def test_together_blocks_are_whole_blocks_of_each_and_the_farthest_reach_counts() -> None:
    timing = Timing.of([FRAMES, HISTORY])
    assert timing.block == 160
    assert timing.block % FRAMES.block == timing.block % HISTORY.block == 0
    assert (timing.lookahead, timing.memory, timing.uses_history) == (160, 240, True)
    assert timing.hop == 80, "a frame spans what it did; history has no frames"


@pytest.mark.parametrize(("samples", "frames"), [(0, 2), (1, 3), (80, 3), (81, 4), (800, 12)])
def test_samples_need_their_own_frames_and_those_of_the_lookahead(
    samples: int, frames: int
) -> None:
    assert Timing.of([FRAMES]).frames(samples) == frames
