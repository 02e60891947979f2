"""The WaveNet: one law for both paths, causality, receptive field, weight norm, conditions."""

import numpy as np
import pytest
import torch

from tests import specs
from tests.contract import verify_step_contract
from wn_runtime.model.spec import ModelSpec
from wn_train.network.layers import CausalConv, GatedLayer
from wn_train.network.wavenet import WaveNet

SPECS = {**specs.CORNERS, **{f"random_{seed}": specs.random_spec(seed) for seed in range(8)}}


def model_of(spec: ModelSpec, weight_norm: bool = False) -> WaveNet:
    torch.manual_seed(0)
    model = WaveNet(spec, weight_norm).double()
    with torch.no_grad():
        for parameter in model.parameters():  # zero-initialised ones would hide faults
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model


def random_conditions(spec: ModelSpec, streams: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    values = {}
    for condition in spec.conditions:
        n = len(condition.values)
        values[condition.name] = (
            torch.randint(-1, n, (streams,))
            if condition.kind == "categorical"
            else torch.randint(0, 2, (streams, n)).double()
        )
    return values


def one_by_one(step):
    """A step on a piece (n, B, ...) of NumPy inputs from one on a single sample, in torch."""

    def pieces(inputs, state):
        outputs = []
        for x_t in torch.from_numpy(inputs[0]):
            y, state = step(x_t, state)
            outputs.append(y.detach().numpy())
        return np.stack(outputs), state

    return pieces


def random_inputs(steps, *shape):
    return (np.random.default_rng(0).standard_normal((steps, *shape)),)


@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("dilation", [1, 4])
@pytest.mark.parametrize("streams", [1, 3])
def test_a_causal_convolution_obeys_the_law(kernel, dilation, streams):
    torch.manual_seed(0)
    conv = CausalConv(5, 7, kernel, dilation).double()

    def whole(inputs):
        x = torch.from_numpy(inputs[0]).transpose(0, 1)
        return conv(x).transpose(0, 1).detach().numpy()

    verify_step_contract(
        whole,
        one_by_one(conv.step),
        lambda: conv.initial_state(streams),
        random_inputs(20, streams, 5),
        tolerance=1e-12,
    )


@pytest.mark.parametrize("last", [False, True])
def test_a_gated_layer_obeys_the_law(last):
    torch.manual_seed(0)
    layer = GatedLayer(6, 10, kernel=3, dilation=2, scale=0.5**0.5, last=last).double()
    bias = torch.randn(1, 10).double()

    def whole(inputs):
        h, z = layer(torch.from_numpy(inputs[0]).transpose(0, 1), bias[:, None])
        return torch.cat([h, z], -1).transpose(0, 1).detach().numpy()

    def step(x_t, past):
        (h, z), past = layer.step(x_t, bias, past)
        return torch.cat([h, z], -1), past

    verify_step_contract(
        whole,
        one_by_one(step),
        lambda: layer.initial_state(2),
        random_inputs(15, 2, 6),
        tolerance=1e-12,
    )


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("streams", [1, 3])
@torch.no_grad()
def test_a_model_obeys_the_law(name, streams):
    spec = SPECS[name]
    model = model_of(spec)
    conditions = random_conditions(spec, streams)
    samples = specs.random_samples(spec, 30, streams).astype(np.int64)

    def whole(inputs):
        return model(torch.from_numpy(inputs[0]).t(), conditions).transpose(0, 1).numpy()

    def step(x_t, carried):
        newest, state = carried  # the sample before x_t is what predicts it
        logits, state = model.step(newest, conditions, state)
        return logits, (x_t, state)

    verify_step_contract(
        whole,
        one_by_one(step),
        lambda: (torch.full((streams,), spec.silence), model.initial_state(streams)),
        (samples,),
        tolerance=1e-12,
        sees_current=[False],
    )


@pytest.mark.parametrize("name", SPECS)
def test_the_receptive_field_is_the_autograd_footprint(name):
    spec = SPECS[name]
    model = model_of(spec)
    field, steps = spec.receptive_field, spec.receptive_field + 6
    torch.manual_seed(2)
    samples = torch.randint(0, spec.classes, (1, steps))
    # A gradient for each sample's own embedding: leave the table look-up out of the graph.
    seen = set()
    table = model.input_weight.detach()
    before = torch.nn.functional.pad(samples, (spec.input_kernel, 0), value=spec.silence)
    leaves = [
        table[j][before[:, spec.input_kernel - 1 - j :][:, :steps]].requires_grad_()
        for j in range(spec.input_kernel)
    ]
    model._embed = lambda taps: sum(leaves) + model.input_bias  # type: ignore[method-assign]
    logits = model(samples)[0, -1]
    torch.autograd.backward((logits * torch.randn_like(logits)).sum())
    for j, leaf in enumerate(leaves):
        used = leaf.grad[0].abs().sum(-1) > 0
        seen |= {int(t) - 1 - j for t in torch.nonzero(used)}  # tap j at t reads x[t-1-j]
    last = steps - 1
    assert max(seen) == last - 1, "the sample being predicted must not be seen"
    assert min(seen) == last - field


def test_weight_norm_leaves_the_function_as_it_is():
    spec = specs.CORNERS["kernel_3"]
    torch.manual_seed(0)
    plain = WaveNet(spec)
    torch.manual_seed(0)
    normed = WaveNet(spec, weight_norm=True)
    samples = torch.randint(0, spec.classes, (2, 25))
    torch.testing.assert_close(plain(samples), normed(samples))
    names = set(normed.state_dict())
    assert any(name.endswith("weight.original0") for name in names)


def test_conditions_change_the_prediction_and_none_means_nothing_added():
    spec = specs.CORNERS["two_conditions"]
    model = model_of(spec)
    samples = torch.randint(0, spec.classes, (1, 12))

    def logits(**conditions):
        return model(samples, conditions)

    free = logits()
    ann, bob = logits(speaker=torch.tensor([0])), logits(speaker=torch.tensor([1]))
    assert not torch.allclose(ann, bob)
    assert not torch.allclose(ann, free)
    torch.testing.assert_close(logits(speaker=torch.tensor([-1])), free)
    torch.testing.assert_close(logits(mood=torch.zeros(1, 2)), free)
    both = logits(mood=torch.ones(1, 2))
    assert not torch.allclose(both, logits(mood=torch.tensor([[1.0, 0.0]])))


def test_step_leaves_the_state_it_was_given_as_it_was():
    spec = specs.CORNERS["input_kernel_2"]
    model = model_of(spec)
    state = model.initial_state(2)
    copies = [state.samples.clone(), *(past.clone() for past in state.layers)]
    _, after = model.step(torch.tensor([3, 4]), None, state)
    model.step(torch.tensor([5, 6]), None, after)
    for kept, copy in zip([state.samples, *state.layers], copies, strict=True):
        assert torch.equal(kept, copy)
