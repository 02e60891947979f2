"""Every sample is counted once, with its full context."""

from pathlib import Path

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import specs
from wn_train.data import chunks
from wn_train.data.audio import Utterance
from wn_train.data.corpus import Recording
from wn_train.network.wavenet import WaveNet

SPEC = specs.CORNERS["two_conditions"]


def utterances(lengths, spec=SPEC):
    rng = np.random.default_rng(0)
    return [
        Utterance(
            Recording(Path(f"{i}.wav"), "train", {"speaker": "bob", "mood": "calm+loud"}),
            rng.integers(0, spec.classes, n).astype(np.uint8),
        )
        for i, n in enumerate(lengths)
    ]


@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    field=st.integers(1, 40),
    chunk=st.integers(1, 60),
    tail=st.integers(0, 30),
    long_tail=st.integers(0, 90),
)
@settings(max_examples=200, deadline=None)
def test_every_sample_and_its_tail_is_counted_exactly_once(lengths, field, chunk, tail, long_tail):
    data = utterances(lengths)
    counts = [np.zeros(n + tail, int) for n in lengths]
    counts[0] = np.zeros(lengths[0] + max(tail, long_tail), int)
    for piece in chunks.cut(data, field, chunk, tail, long_tail):
        assert piece.context == (0 if piece.start == 0 else field)
        assert piece.start - piece.context >= 0
        assert 1 <= piece.counted <= field + chunk
        counts[piece.utterance][piece.start : piece.start + piece.counted] += 1
    assert all((count == 1).all() for count in counts)


def test_a_chunk_predicts_what_the_whole_file_does():
    torch.manual_seed(0)
    model = WaveNet(SPEC).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    data = utterances([90, 37])
    pieces = chunks.cut(data, SPEC.receptive_field, 11)
    assert len(pieces) > 4
    for piece in pieces:
        values = [data[piece.utterance].recording.values]
        whole = torch.from_numpy(data[piece.utterance].codes.astype(np.int64))[None]
        expected = model(whole, chunks.encode(values, SPEC))[0]
        batch = chunks.collate([piece], data, SPEC)
        logits = model(batch.samples, batch.conditions)[0]
        torch.testing.assert_close(
            logits[batch.counts[0]], expected[piece.start : piece.start + piece.counted]
        )


def test_an_epoch_holds_every_chunk_once_within_the_batch_limit():
    pieces = chunks.cut(utterances(range(20, 400, 7)), 15, 50)
    batches = chunks.epoch(pieces, 1000, seed=3, number=5)
    assert sorted(map(id, pieces)) == sorted(id(c) for batch in batches for c in batch)
    for batch in batches:
        longest = max(c.length for c in batch)
        assert len(batch) == 1 or longest * len(batch) <= 1000
    again = chunks.epoch(pieces, 1000, seed=3, number=5)
    assert [list(map(id, b)) for b in again] == [list(map(id, b)) for b in batches]
    other = chunks.epoch(pieces, 1000, seed=3, number=6)
    assert [list(map(id, b)) for b in other] != [list(map(id, b)) for b in batches]


def test_positions_go_on_where_they_stopped():
    pieces = chunks.cut(utterances([50] * 9), 15, 50)
    stream = chunks.positions(pieces, 120, 0, (0, 0))
    first = [next(stream) for _ in range(12)]
    resumed = chunks.positions(pieces, 120, 0, first[6][0])
    assert [next(resumed) for _ in range(5)] == first[7:12]


def test_padding_and_context_are_not_counted():
    data = utterances([30, 90])
    batch = chunks.collate(chunks.cut(data, 15, 20)[:3], data, SPEC)
    assert batch.counts.sum(1).tolist() == [30, 35, 18]
    assert not batch.counts[0, 30:].any()
    assert (batch.samples[0, 30:] == SPEC.silence).all()
    assert batch.conditions["speaker"].tolist() == [1, 1, 1]
    assert batch.conditions["mood"].tolist() == [[1.0, 1.0]] * 3


def test_dropped_conditions_become_none():
    values = {"speaker": torch.arange(2000) % 3, "mood": torch.ones(2000, 2)}
    dropped = chunks.drop_conditions(values, 0.25, np.random.default_rng(0))
    gone = dropped["speaker"] == -1
    assert 0.2 < gone.float().mean() < 0.3
    assert torch.equal(dropped["speaker"][~gone], values["speaker"][~gone])
    assert set(dropped["mood"].sum(1).tolist()) == {0.0, 2.0}
