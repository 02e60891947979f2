"""Every sample is counted once, every batch keeps its limit, and positions go on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import specs
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.model.spec import ModelSpec
from wn_train.data import chunks
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Chunk
from wn_train.data.corpus import Recording

SPEC = specs.CORNERS["two_conditions"]


def utterances(lengths: Iterable[int], spec: ModelSpec = SPEC) -> list[Utterance]:
    return [
        Utterance(
            Recording(Path(f"{i}.wav"), "train", {"speaker": "bob", "mood": "calm+loud"}),
            specs.random_samples(spec, n, 1, seed=i)[:, 0].astype(np.uint8),
        )
        for i, n in enumerate(lengths)
    ]


def cut(lengths: Iterable[int], chunk: int) -> list[Chunk]:
    return chunks.cut(utterances(lengths), SPEC, chunk)


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    field=st.integers(2, 40),
    chunk=st.integers(1, 60),
    tail=st.integers(0, 30),
    long_tail=st.integers(0, 90),
)
@settings(max_examples=200, deadline=None)
def test_every_sample_and_its_tail_is_counted_exactly_once(
    lengths: list[int], field: int, chunk: int, tail: int, long_tail: int
) -> None:
    spec = specs.small_spec((field - 1,))
    assert spec.receptive_field == field
    counts = [np.zeros(n + tail, int) for n in lengths]
    counts[0] = np.zeros(lengths[0] + max(tail, long_tail), int)
    for piece in chunks.cut(utterances(lengths), spec, chunk, tail, long_tail):
        assert piece.context == (0 if piece.start == 0 else field)
        assert piece.start - piece.context >= 0
        assert 1 <= piece.counted <= field + chunk
        counts[piece.utterance][piece.start : piece.start + piece.counted] += 1
    assert all((count == 1).all() for count in counts)


def test_an_epoch_holds_every_chunk_once_within_the_batch_limit() -> None:
    pieces = cut(range(20, 400, 7), 50)
    batches = chunks.epoch(pieces, 1000, seed=3, number=5)
    assert sorted(map(id, pieces)) == sorted(id(c) for batch in batches for c in batch)
    for batch in batches:
        longest = max(c.length for c in batch)
        assert len(batch) == 1 or longest * len(batch) <= 1000
    assert chunks.epoch(pieces, 1000, seed=3, number=5) == batches
    assert chunks.epoch(pieces, 1000, seed=3, number=6) != batches


def test_what_all_rows_of_a_batch_only_remember_does_not_count_for_its_limit() -> None:
    stack = ContextStack(4, 8, 5, 3, 2, (1, 2, 24), 16)  # 118 samples back
    spec = specs.small_spec(conditioning=(stack,))
    pieces = chunks.cut(utterances([900] * 4, spec), spec, 50)
    assert max(piece.memory for piece in pieces) == 120
    batches = chunks.epoch(pieces, 300, seed=3, number=5)
    assert sorted(map(id, pieces)) == sorted(id(c) for batch in batches for c in batch)
    for batch in batches:
        assert len(batch) == 1 or chunks.network_samples(batch) * len(batch) <= 300
    full = [batch for batch in batches if min(chunk.memory for chunk in batch) >= 120]
    assert max(map(len, full)) == 4, "four rows of 70 samples and 120 remembered"


def test_positions_go_on_where_they_stopped() -> None:
    pieces = cut([50] * 9, 50)
    stream = chunks.positions(pieces, 120, 0, (0, 0))
    first = [next(stream) for _ in range(12)]
    resumed = chunks.positions(pieces, 120, 0, first[6][0])
    assert [next(resumed) for _ in range(5)] == first[7:12]


def test_padding_and_context_are_not_counted() -> None:
    data = utterances([30, 89])
    field = SPEC.receptive_field
    batch = chunks.collate(chunks.cut(data, SPEC, 35 - field)[:3], data, SPEC)
    assert batch.counts.sum(1).tolist() == [30, 35, 27]
    assert not batch.counts[0, 30:].any()
    assert not batch.counts[2, :field].any()
    assert (batch.samples[0, 30:] == SPEC.output.silence).all()
    assert batch.samples[1].tolist() == data[1].samples[:35].tolist()
    assert batch.frames is None


def test_values_become_an_index_or_a_row_of_ones_and_none_is_left_out() -> None:
    given = [{"speaker": "bob", "mood": "calm+loud"}, {"speaker": "", "mood": "loud"}, {}]
    values = chunks.encode(given, SPEC)
    assert values["speaker"].tolist() == [1, -1, -1]
    assert values["mood"].tolist() == [[1, 1], [0, 1], [0, 0]]


def test_dropped_conditions_become_none() -> None:
    values = {"speaker": torch.arange(2000) % 3, "mood": torch.ones(2000, 2)}
    dropped = chunks.drop_conditions(values, 0.25, np.random.default_rng(0))
    gone = dropped["speaker"] == -1
    assert 0.2 < gone.float().mean() < 0.3
    assert torch.equal(dropped["speaker"][~gone], values["speaker"][~gone])
    assert set(dropped["mood"].sum(1).tolist()) == {0.0, 2.0}
