"""The WaveNet: one law for both paths, the receptive field, and what conditions do."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.law.steps import Inputs, verify_step_contract
from tests.models import specs
from tests.train.models import Amplitudes, random_model
from wn_train.network.wavenet import NetworkState

SPECS = {**specs.CORNERS, **{f"random_{seed}": specs.random_spec(seed) for seed in range(8)}}


@pytest.mark.parametrize("name", SPECS)
@torch.no_grad()
def test_a_model_obeys_the_law_under_a_bias_of_its_own_each_sample(name: str) -> None:
    spec, steps, streams = SPECS[name], 30, 3
    model = random_model(spec).double()
    inputs: Inputs = (specs.random_samples(spec, steps, streams).astype(np.int64),)
    bias = specs.random_bias(spec, streams, steps)
    if bias is not None:
        inputs = (*inputs, bias.transpose(0, 2, 1, 3))  # (T, B, L, G)

    def whole(inputs: Inputs) -> NDArray[Any]:
        samples, *given = map(torch.from_numpy, inputs)
        bias = given[0].permute(2, 1, 0, 3) if given else None  # (L, B, T, G)
        params: NDArray[Any] = model.network(samples.t(), bias).transpose(0, 1).numpy()
        return params

    def step(
        inputs: Inputs, carried: tuple[Tensor, NetworkState]
    ) -> tuple[NDArray[Any], tuple[Tensor, NetworkState]]:
        newest, state = carried  # the sample before x_t is what predicts it
        outputs = []
        for x_t, *given in zip(*map(torch.from_numpy, inputs), strict=True):
            params, state = model.step(newest, given[0].transpose(0, 1) if given else None, state)
            newest = x_t
            outputs.append(params.numpy())
        return np.stack(outputs), (newest, state)

    silence = torch.full((streams,), spec.output.silence)
    verify_step_contract(
        whole,
        step,
        lambda: (silence, model.initial_state(streams)),
        inputs,
        tolerance=1e-12,
        sees_current=[False, True][: len(inputs)],
    )


@pytest.mark.parametrize("name", SPECS)
def test_the_receptive_field_is_the_autograd_footprint(name: str) -> None:
    spec = dataclasses.replace(SPECS[name], output=Amplitudes(16))  # amplitudes have gradients
    field, steps = spec.receptive_field, spec.receptive_field + 6
    samples = torch.from_numpy(specs.random_samples(spec, steps, 1)).t().requires_grad_()
    model = random_model(spec)
    with torch.no_grad():
        for part, parameter in model.named_parameters():  # no rectifier may hide a sample
            if part in ("skip.bias", "head.0.bias"):
                parameter.fill_(10.0)
            elif part == "head.0.weight":
                parameter.abs_()
    params = model(samples)[0, -1]
    torch.autograd.backward((params * torch.arange(1, len(params) + 1)).sum())
    assert samples.grad is not None
    seen = torch.nonzero(samples.grad[0])
    assert int(seen.max()) == steps - 2, "the sample being predicted must not be seen"
    assert int(seen.min()) == steps - 1 - field


def test_conditions_change_the_prediction_and_none_means_nothing_added() -> None:
    spec = specs.CORNERS["two_conditions"]
    model = random_model(spec)
    samples = torch.from_numpy(specs.random_samples(spec, 12, 1).T.astype(np.int64))

    def params(**values: Tensor) -> Tensor:
        found: Tensor = model(samples, values)
        return found

    free = params()
    ann, bob = params(speaker=torch.tensor([0])), params(speaker=torch.tensor([1]))
    assert not torch.allclose(ann, bob)
    assert not torch.allclose(ann, free)
    torch.testing.assert_close(params(speaker=torch.tensor([-1])), free)
    torch.testing.assert_close(params(mood=torch.zeros(1, 2)), free)
    both = params(mood=torch.ones(1, 2))
    assert not torch.allclose(both, params(mood=torch.tensor([[1.0, 0.0]])))
