"""Each layer's whole-sequence and one-sample path are one: the streaming law, and weight norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.law.steps import Inputs, verify_step_contract
from tests.models import specs
from tests.train.models import Amplitudes
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax
from wn_train.network.input import InputConv
from wn_train.network.layers import CausalConv, GatedLayer
from wn_train.network.wavenet import WaveNet

Array = NDArray[Any]


def one_by_one(
    step: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
) -> Callable[[Inputs, Tensor], tuple[Array, Tensor]]:
    """A step on a piece (n, B, C) in NumPy from one on a single sample in torch."""

    def pieces(inputs: Inputs, state: Tensor) -> tuple[Array, Tensor]:
        outputs = []
        for x_t in torch.from_numpy(inputs[0]):
            y, state = step(x_t, state)
            outputs.append(y.numpy())
        return np.stack(outputs), state

    return pieces


def normal(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape)


def time_first(tensor: Tensor) -> Array:
    array: Array = tensor.transpose(0, 1).numpy()
    return array


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("dilation", [1, 4])
@torch.no_grad()
def test_a_causal_convolution_obeys_the_law(kernel: int, dilation: int) -> None:
    torch.manual_seed(0)
    conv = CausalConv(5, 7, kernel, dilation).double()
    verify_step_contract(
        lambda inputs: time_first(conv(torch.from_numpy(inputs[0]).transpose(0, 1))),
        one_by_one(conv.step),
        lambda: conv.initial_state(3),
        (normal(20, 3, 5),),
        tolerance=1e-12,
    )


@pytest.mark.parametrize("last", [False, True])
@torch.no_grad()
def test_a_gated_layer_obeys_the_law_under_a_bias_of_its_own_each_sample(last: bool) -> None:
    torch.manual_seed(0)
    layer = GatedLayer(6, 10, kernel=3, dilation=2, scale=0.5**0.5, last=last).double()

    def whole(inputs: Inputs) -> Array:
        h, bias = (torch.from_numpy(each).transpose(0, 1) for each in inputs)
        return time_first(torch.cat(layer(h, bias), -1))

    def step(inputs: Inputs, past: Tensor) -> tuple[Array, Tensor]:
        outputs = []
        for h, bias in zip(*map(torch.from_numpy, inputs), strict=True):
            (following, z), past = layer.step(h, bias, past)
            outputs.append(torch.cat([following, z], -1).numpy())
        return np.stack(outputs), past

    inputs = (normal(15, 2, 6), normal(15, 2, 10))
    verify_step_contract(whole, step, lambda: layer.initial_state(2), inputs, tolerance=1e-12)


@pytest.mark.parametrize("head", [Softmax(16), Amplitudes(16)], ids=["classes", "amplitudes"])
@pytest.mark.parametrize("kernel", [1, 3])
@torch.no_grad()
def test_the_input_convolution_obeys_the_law_and_never_sees_the_sample_predicted(
    head: Head, kernel: int
) -> None:
    torch.manual_seed(0)
    conv = InputConv(head, kernel, 6).double()
    spec = specs.small_spec(output=head)
    samples = specs.random_samples(spec, 20, 3)
    if head.codes:
        samples = samples.astype(np.int64)

    def step(inputs: Inputs, carried: tuple[Tensor, Tensor]) -> tuple[Array, tuple[Tensor, Tensor]]:
        newest, past = carried  # the sample before x_t is what predicts it
        outputs = []
        for x_t in torch.from_numpy(inputs[0]):
            y, past = conv.step(newest, past)
            newest = x_t
            outputs.append(y.numpy())
        return np.stack(outputs), (newest, past)

    def initial() -> tuple[Tensor, Tensor]:
        silence = torch.full((3,), head.silence, dtype=torch.from_numpy(samples).dtype)
        return silence, conv.initial_state(3)

    verify_step_contract(
        lambda inputs: time_first(conv(torch.from_numpy(inputs[0]).t())),
        step,
        initial,
        (samples,),
        tolerance=1e-12,
        sees_current=[False],
    )


def test_weight_norm_leaves_the_function_as_it_is() -> None:
    spec = specs.CORNERS["kernel_3"]
    torch.manual_seed(0)
    plain = WaveNet(spec)
    torch.manual_seed(0)
    normed = WaveNet(spec, weight_norm=True)
    samples = torch.from_numpy(specs.random_samples(spec, 25, 2).T.astype(np.int64))
    torch.testing.assert_close(plain(samples), normed(samples))
    assert any(name.endswith("weight.original0") for name in normed.state_dict())
