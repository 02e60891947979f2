"""Global conditions: the module in training and the runtime's conditioner make one bias."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.models import specs
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError
from wn_train.conditioning.registry import module_of
from wn_train.data import chunks
from wn_train.network.canonical import canonical_weights

SPEC = specs.CORNERS["two_conditions"]


@pytest.mark.parametrize(
    ("speakers", "moods"),
    [
        (["eve", "bob"], ["calm", "calm+loud"]),
        (["bob", ""], ["", "loud"]),  # in training: dropped, or a recording that has none
        (["", ""], ["", ""]),
    ],
)
@torch.no_grad()
def test_training_and_the_runtime_make_the_same_bias(speakers: list[str], moods: list[str]) -> None:
    model = random_model(SPEC)
    rows = [{"speaker": s, "mood": m} for s, m in zip(speakers, moods, strict=True)]
    trained = model.condition(torch.zeros(2, 9, dtype=torch.int64), chunks.encode(rows, SPEC))
    assert trained is not None
    conditioner = Conditioner(SPEC, canonical_weights(model, "test"))
    for stream, row in enumerate(rows):
        given: dict[str, Values] = {name: value for name, value in row.items() if value}
        bias = conditioner.whole(given, 1, 9)
        assert bias is not None
        np.testing.assert_allclose(trained[:, stream, 0].numpy(), bias[0, :, 0], atol=1e-6)


def test_a_conditioner_without_a_module_is_named() -> None:
    class Loudness(GlobalConditions):
        kind = "loudness"

    spec = Loudness((specs.SPEAKER,))
    with pytest.raises(
        WavestepError, match="conditioner 'loudness' is unknown; modules are there for: global"
    ):
        module_of(spec, layers=2, gate_channels=4)
