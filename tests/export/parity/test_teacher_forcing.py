"""Scores in chunks are those of one pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests import specs
from tests.export.checkpoints import trained_of
from wn_export.parity import teacher_forcing
from wn_export.parity.expected import Clip

SPEC = specs.CORNERS["two_conditions"]
CONDITIONS = {"speaker": "eve", "mood": "calm"}


def test_scores_in_chunks_equal_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained_of(SPEC).model
    samples = specs.random_samples(SPEC, 200, 1)[:, 0]
    bias = teacher_forcing.condition(model, Clip(samples, CONDITIONS))
    with torch.no_grad():
        whole = model.network(torch.from_numpy(samples).long()[None], bias)[0].numpy()
    monkeypatch.setattr(teacher_forcing, "CHUNK", 48)
    np.testing.assert_allclose(teacher_forcing.score(model, samples, bias), whole, atol=2e-5)
