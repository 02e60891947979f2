"""Bits per sample: every real sample counts once, and means what the layer equation says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.law import oracle
from tests.models import specs
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.model.spec import ModelSpec
from wn_train.data.audio import Utterance
from wn_train.data.chunks import collate, cut
from wn_train.data.corpus import Recording
from wn_train.heads import registry
from wn_train.network.canonical import canonical_weights
from wn_train.training.likelihood import bits_per_sample, nll

CPU = torch.device("cpu")
SPEC = specs.CORNERS["two_conditions"]
VALUES = {"speaker": "eve", "mood": "loud"}


def utterances(spec: ModelSpec) -> list[Utterance]:
    return [
        Utterance(
            Recording(Path(f"{i}.wav"), "valid", VALUES),
            specs.random_samples(spec, length, 1, seed=i)[:, 0].astype(np.uint8),
        )
        for i, length in enumerate((9000, 17, 300))
    ]


def test_it_is_the_heads_bits_of_the_layer_equation_on_whole_files() -> None:
    model, data = random_model(SPEC), utterances(SPEC)
    bits, count = bits_per_sample(model, SPEC, data, CPU)
    assert count == 9317
    weights = canonical_weights(model, "test")
    bias = Conditioner(SPEC, weights).whole(dict(VALUES), 1, 1)
    expected = 0.0
    for utterance in data:
        samples = utterance.samples[:, None].astype(np.int32)
        params = oracle.score(SPEC, weights, samples, bias).astype(np.float32)
        expected += float(SPEC.output.bits(params, samples).sum(dtype=np.float64))
    assert bits == pytest.approx(expected, rel=1e-5)


def test_shares_of_several_processes_add_up() -> None:
    model, data = random_model(SPEC), utterances(SPEC)
    bits, count = bits_per_sample(model, SPEC, data, CPU)
    shares = [bits_per_sample(model, SPEC, data, CPU, (rank, 2)) for rank in (0, 1)]
    assert all(share[1] for share in shares)
    assert sum(share[1] for share in shares) == count
    assert sum(share[0] for share in shares) == pytest.approx(bits, rel=1e-5)


def test_what_is_heard_is_what_the_network_takes_and_never_what_it_is_held_to() -> None:
    model, data = random_model(SPEC), utterances(SPEC)[2:]
    batch = collate(cut(data, SPEC, 400), data, SPEC)
    other = batch.samples.flip(1)
    with torch.no_grad():
        params = model(other, batch.conditions, None, 0)
        expected = registry.nll(SPEC.output, params, batch.samples)[batch.counts].sum()
        found = nll(model, SPEC.output, dataclasses.replace(batch, heard=other))
        assert float(found) == pytest.approx(float(expected), rel=1e-5)
        assert float(found) != float(nll(model, SPEC.output, batch))
