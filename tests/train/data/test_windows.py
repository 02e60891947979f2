"""The window of a chunk is all that its counted samples depend on, whatever conditions them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models import specs
from tests.train.framed import Framed, FramedModule
from tests.train.models import random_model
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.model.spec import ModelSpec
from wn_train.conditioning.registry import MODULES
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Chunk, collate, cut
from wn_train.data.corpus import Recording


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, Framed.kind, FramedModule)


def spec_of(*conditioning: ConditionerSpec) -> ModelSpec:
    return specs.small_spec(input_kernel=2, conditioning=conditioning)


def utterance(spec: ModelSpec, samples: int, frames: int) -> Utterance:
    rng = np.random.default_rng(samples)
    return Utterance(
        Recording(Path("a.wav"), "train", {"speaker": "bob", "mood": "calm+loud"}),
        specs.random_samples(spec, samples, 1)[:, 0].astype(np.uint8),
        rng.standard_normal((frames, 3)).astype(np.float32) if frames else None,
    )


CONDITIONING: dict[str, tuple[ConditionerSpec, ...]] = {
    "global": specs.CORNERS["two_conditions"].conditioning,
    "frames": (Framed(),),
    "lookahead": (Framed(lookahead=8),),
    "memory": (Framed(block=8, memory=8, lookahead=4),),
    "less memory than a block": (Framed(block=12, memory=8),),
    "global and frames": (*specs.CORNERS["two_conditions"].conditioning, Framed(memory=12)),
    "blocks of 8 and 12": (Framed(block=8, memory=8), Framed(block=12, memory=12)),
    "local repeat": (LocalFrames(3, 4, 5, (3, 3), True, "repeat", 4),),
    "local linear": (LocalFrames(3, 4, 5, (5,), False, "linear", 2),),
    "local transposed": (LocalFrames(3, 4, 5, (3, 3), False, "transposed", 1),),
    "global and local": (
        *specs.CORNERS["two_conditions"].conditioning,
        LocalFrames(3, 4, 5, (3,), False, "linear", 2),
    ),
    "context": (ContextStack(2, 6, 5, 4, 2, (1, 3), 16),),
    "context over the file": (ContextStack(4, 4, 5, 9, 3, (1, 2, 16), 16),),
    "global, local and context": (
        *specs.CORNERS["two_conditions"].conditioning,
        LocalFrames(3, 4, 5, (3,), False, "linear", 2),
        ContextStack(4, 8, 5, 4, 2, (1, 2), 16),
    ),
}


@pytest.mark.parametrize("name", CONDITIONING)
@torch.no_grad()
def test_a_chunk_predicts_what_the_whole_file_does(name: str) -> None:
    spec = spec_of(*CONDITIONING[name])
    framed = any(part.frame_channels for part in spec.conditioning)
    data = [utterance(spec, n, -(-n // 4) if framed else 0) for n in (151, 90)]
    model = random_model(spec).double()
    pieces = cut(data, spec, chunk=11, tail=7)
    assert len(pieces) > 15
    whole = [collate([Chunk(i, 0, 0, n + 7)], data, spec) for i, n in enumerate((151, 90))]
    expected = [
        model(each.samples, each.conditions, None if each.frames is None else each.frames.double())
        for each in whole
    ]
    for piece in pieces:
        batch = collate([piece], data, spec)
        frames = None if batch.frames is None else batch.frames.double()
        assert batch.memory == piece.memory
        there = expected[piece.utterance][0, piece.start : piece.start + piece.counted]
        for memory in {0, batch.memory}:
            params = model(batch.samples, batch.conditions, frames, memory)[0]
            counted = params[batch.counts[0, memory:]]
            torch.testing.assert_close(counted, there, msg=f"{piece} differs")


def test_a_window_begins_at_a_block_with_the_context_and_the_memory_before() -> None:
    spec = spec_of(Framed(hop=4, block=12, memory=8, lookahead=4))
    pieces = cut([utterance(spec, 309, 78)], spec, chunk=20)
    windows = {piece.start: piece.start - piece.context for piece in pieces}
    assert spec.receptive_field == 9
    assert windows[0] == 0
    assert windows[49] == 24  # 49 - 9 is in the block from 36 on, which remembers from 28 on


def test_the_network_begins_at_its_own_context_and_a_batch_at_that_of_all() -> None:
    spec = spec_of(ContextStack(2, 6, 5, 4, 2, (1, 3), 16))
    data = [utterance(spec, 309, 0)]
    pieces = cut(data, spec, chunk=20)
    assert spec.receptive_field == 9
    assert spec.conditioning[0].memory == 17
    for piece in pieces[2:]:
        field = piece.context - piece.memory
        assert 9 <= field < 9 + 6
        assert piece.memory in (18, 24)
    assert pieces[0].memory == 0
    assert (pieces[1].context, pieces[1].memory) == (29, 18)  # from the file's start on
    batch = collate(pieces[2:4], data, spec)
    assert batch.memory == min(piece.memory for piece in pieces[2:4])
    assert collate([pieces[0], pieces[3]], data, spec).memory == 0


def test_frames_are_those_of_the_window_and_the_lookahead_and_zeros_past_the_end() -> None:
    spec = spec_of(Framed(hop=4, block=8, lookahead=8))
    data = [utterance(spec, 40, 10)]
    given = data[0].frames
    assert given is not None
    batch = collate([Chunk(0, 13, 5, 6), Chunk(0, 35, 11, 12)], data, spec)
    assert batch.samples.shape == (2, 24)  # whole blocks
    assert batch.frames is not None
    assert batch.frames.shape == (2, 24 // 4 + 2, 3)
    assert np.array_equal(batch.frames[0], given[2:10])
    assert np.array_equal(batch.frames[1, :4], given[6:])
    assert not batch.frames[1, 4:].any()
