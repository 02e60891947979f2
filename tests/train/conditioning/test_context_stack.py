"""A context stack in training is what the runtime streams, a block late, and it learns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.models.specs import random_samples, small_spec
from tests.runtime.conditioning.stacks import EVERY, PLAIN, spec_with
from tests.train.models import random_model
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.context_stack import WAVE, ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.heads.softmax import Softmax
from wn_train.conditioning.config import ContextConfig
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet
from wn_train.training.optimizer import groups


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize(
    "stack",
    [*EVERY.values(), dataclasses.replace(PLAIN, classes=0)],
    ids=[*EVERY, "amplitudes"],
)
@torch.no_grad()
def test_a_whole_pass_is_what_the_runtime_streams(stack: ContextStack, weight_norm: bool) -> None:
    spec = spec_with(stack)
    model = random_model(spec, weight_norm)
    samples = random_samples(spec, 7 * stack.block, 2)
    known = torch.from_numpy(samples.T.copy())
    found = model.condition(known if stack.classes == 0 else known.long())
    conditioner = Conditioner(spec, canonical_weights(model, "test"))
    expected = conditioner.whole({}, 2, len(samples), history=samples)
    assert found is not None
    assert expected is not None
    rows = np.repeat(expected, stack.pool, axis=0)  # (T, L, B, G)
    np.testing.assert_allclose(
        found.permute(2, 0, 1, 3).numpy(), rows, atol=1e-5 * np.abs(rows).max()
    )


def test_the_wave_begins_as_classes_lie_with_silence_at_zero() -> None:
    model = WaveNet(small_spec(conditioning=(PLAIN,)))
    wave = canonical_weights(model, "test")[WAVE]
    assert wave[8] == 0
    assert np.all(np.diff(wave) > 0)
    assert abs(wave).max() == 1


@pytest.mark.parametrize("stack", [PLAIN, dataclasses.replace(PLAIN, classes=0)])
def test_every_part_of_it_learns_and_none_decays(stack: ContextStack) -> None:
    torch.manual_seed(0)
    model = WaveNet(spec_with(stack))
    samples = torch.from_numpy(random_samples(model.spec, 64, 2).T.copy())
    model(samples if stack.classes == 0 else samples.long()).square().sum().backward()
    for name, parameter in model.conditioners[0].named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    decayed, _ = groups(model)
    assert not {id(p) for p in decayed} & {id(p) for p in model.conditioners.parameters()}


@torch.no_grad()
def test_the_network_is_spared_what_only_conditioning_remembers() -> None:
    spec = small_spec(conditioning=(PLAIN,))
    model = random_model(spec).double()
    samples = torch.from_numpy(random_samples(spec, 96, 2).T.copy()).long()
    whole, spared = model(samples), model(samples, memory=40)
    assert spared.shape == (2, 56, 16)
    field = spec.receptive_field
    torch.testing.assert_close(spared[:, field:], whole[:, 40 + field :])


FRAMES_80 = LocalFrames(3, 80, 5, (3,), False, "linear", 16)


@pytest.mark.parametrize(
    ("local", "given", "pool", "block"),
    [
        (None, {}, 64, 256),
        (None, {"pool": 100}, 100, 300),
        (None, {"pool": 300}, 300, 300),
        (FRAMES_80, {}, 80, 320),
        (FRAMES_80, {"pool": 16}, 16, 320),
        (dataclasses.replace(FRAMES_80, hop=200, hold=10), {}, 50, 400),
        (dataclasses.replace(FRAMES_80, hop=256, hold=16), {}, 64, 256),
        (dataclasses.replace(FRAMES_80, hop=7, hold=7), {}, 63, 315),
        (dataclasses.replace(FRAMES_80, upsampling="repeat", hold=80), {"block": 640}, 80, 640),
    ],
)
def test_pool_and_block_fit_the_frames_beside_it(
    local: LocalFrames | None, given: dict[str, int], pool: int, block: int
) -> None:
    stack = ContextConfig(**given).spec(Softmax(16), local)  # type: ignore[arg-type]
    assert (stack.pool, stack.block, stack.classes) == (pool, block, 16)
    assert stack.dilations == (1, 2, 4, 8, 16, 32, 64, 128)
    small_spec(conditioning=(stack,) if local is None else (local, stack))  # which checks them


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "layers is 0; it must be 1 to 64"),
        ({"layers": 30}, "its context is .* samples, over 16777216"),
        ({"pool": -1}, "pool is -1; it must be 0"),
        ({"block": -1}, "block is -1; it must be 0"),
        ({"block": 100}, "block is 100; it must be a multiple of pool, 64"),
        ({"dilations": (0,)}, "dilations are from 0"),
        ({"channels": 0}, "channels is 0"),
    ],
)
def test_a_configuration_is_checked_before_there_is_data(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ContextConfig(**changes)  # type: ignore[arg-type]
