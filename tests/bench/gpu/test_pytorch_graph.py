"""What a graph would hold, run without one: PyTorch's steps, each fed the sample drawn before."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from bench.gpu.pytorch_graph import Loop, generate, gumbel
from wn_targets.presets import PRESETS
from wn_train.network.wavenet import WaveNet

STEPS, STREAMS = 12, 2


@pytest.fixture
def model() -> WaveNet:
    torch.manual_seed(1)
    return WaveNet(dataclasses.replace(PRESETS["tiny"], dilations=(1, 2, 4))).eval()


@torch.inference_mode()
def test_each_sample_is_drawn_from_what_the_network_says_after_those_before(model: WaveNet) -> None:
    noise = gumbel(model, STEPS, STREAMS)
    samples, _ = generate(model, Loop.start(model, STREAMS), noise)
    logits = model.network(samples.T, None)  # (B, K, A); those at t have not seen t
    assert torch.equal((logits + noise.transpose(0, 1)).argmax(-1), samples.T)
    assert len(set(samples.flatten().tolist())) > 5


@torch.inference_mode()
def test_steps_in_two_calls_are_those_of_one(model: WaveNet) -> None:
    noise = gumbel(model, STEPS, STREAMS)
    whole, end = generate(model, Loop.start(model, STREAMS), noise)
    front, between = generate(model, Loop.start(model, STREAMS), noise[:5])
    back, after = generate(model, between, noise[5:])
    assert torch.equal(torch.cat([front, back]), whole)
    for one, other in zip(after.tensors, end.tensors, strict=True):
        assert torch.equal(one, other)


@torch.inference_mode()
def test_the_noise_draws_from_the_softmax(model: WaveNet) -> None:
    torch.manual_seed(2)
    logits = torch.randn(model.spec.output.params) * 2
    draws = (logits + gumbel(model, 40000, 1)[:, 0]).argmax(-1)
    counts = torch.bincount(draws, minlength=len(logits)) / len(draws)
    assert (counts - logits.softmax(0)).abs().max() < 0.01
