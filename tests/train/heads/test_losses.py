"""The training loss is -log p as the runtime's head counts it, for every head that has one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from wn_runtime.errors import WavestepError
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.mixture import Mixture
from wn_runtime.heads.registry import HEADS
from wn_runtime.heads.softmax import Softmax
from wn_train.heads import registry as losses


def test_the_loss_is_the_runtimes_bits_in_nats() -> None:
    head, rng = Softmax(11), np.random.default_rng(0)
    params = rng.normal(0, 3, (2, 7, 11)).astype(np.float32)
    samples = rng.integers(0, 11, (2, 7))
    nats = losses.nll(head, torch.from_numpy(params), torch.from_numpy(samples))
    np.testing.assert_allclose(nats.numpy(), head.bits(params, samples) * math.log(2), rtol=1e-5)


MIXTURES = [Logistic(1), Logistic(10), Gaussian(), Gaussian(4), Gaussian(2, -14.0)]


@pytest.mark.parametrize("log_scale", [4, 0, -3, -5, -7, -9, -12])
@pytest.mark.parametrize("head", MIXTURES, ids=repr)
def test_a_mixtures_loss_is_its_bits_and_can_be_learned_from(
    head: Mixture, log_scale: float
) -> None:
    rng, m = np.random.default_rng(0), head.components
    params = rng.standard_normal((1, 2000, head.params)).astype(np.float32)
    params[..., -m:] += log_scale
    params[..., -2 * m : -m] *= 0.3
    near = params[..., -2 * m] + 2 * rng.standard_normal((1, 2000)) * np.exp(params[..., -m])
    samples = head.encode(near)
    samples[0, :4] = [-1, 32767 / 32768, 0, 0.9]  # both ends, and far out
    given = torch.from_numpy(params).requires_grad_()
    nats = losses.nll(head, given, torch.from_numpy(samples))
    nats.sum().backward()  # type: ignore[no-untyped-call]
    expected = head.bits(params, samples) * math.log(2)
    np.testing.assert_allclose(nats.detach().numpy(), expected, rtol=3e-6, atol=3e-4)
    assert given.grad is not None
    assert torch.isfinite(given.grad).all()
    # What is far from every mean pulls: no gradient has vanished.
    assert (given.grad[0, :4, -2 * m :].abs().amax(-1) > 1e-3).all() or log_scale > 0


def test_every_head_has_a_loss() -> None:
    assert losses.LOSSES.keys() == HEADS.keys()


def test_a_head_without_a_loss_is_named() -> None:
    class Student(Softmax):
        kind = "student"

    with pytest.raises(
        WavestepError, match="head 'student' is unknown; losses are there for: softmax"
    ):
        losses.nll(Student(), torch.zeros(1, 3, 256), torch.zeros(1, 3, dtype=torch.int64))
