"""The training loss is -log p as the runtime's head counts it, for every head that has one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from wn_runtime.errors import WavestepError
from wn_runtime.heads.registry import HEADS
from wn_runtime.heads.softmax import Softmax
from wn_train.heads import registry as losses


def test_the_loss_is_the_runtimes_bits_in_nats() -> None:
    head, rng = Softmax(11), np.random.default_rng(0)
    params = rng.normal(0, 3, (2, 7, 11)).astype(np.float32)
    samples = rng.integers(0, 11, (2, 7))
    nats = losses.nll(head, torch.from_numpy(params), torch.from_numpy(samples))
    np.testing.assert_allclose(nats.numpy(), head.bits(params, samples) * math.log(2), rtol=1e-5)


def test_every_head_has_a_loss() -> None:
    assert losses.LOSSES.keys() == HEADS.keys()


def test_a_head_without_a_loss_is_named() -> None:
    class Logistic(Softmax):
        kind = "logistic"

    with pytest.raises(
        WavestepError, match="head 'logistic' is unknown; losses are there for: softmax"
    ):
        losses.nll(Logistic(), torch.zeros(1, 3, 256), torch.zeros(1, 3, dtype=torch.int64))
