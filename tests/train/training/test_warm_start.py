"""A model begins with what another has learned, where it is of the same shape."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from tests.export.checkpoints import write_checkpoint
from tests.models.specs import CORNERS
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.network.wavenet import WaveNet
from wn_train.training import warm_start

SPEC = CORNERS["two_conditions"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "before.pt", SPEC)


def test_the_same_network_is_taken_whole(path: Path) -> None:
    model = WaveNet(SPEC, weight_norm=True)
    assert warm_start.begin(model, path) == f"100% of the weights are those of {path}"
    for name, value in checkpoint.load(path).ema.items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)


def test_another_conditioner_is_learned_anew(path: Path) -> None:
    local = LocalFrames(channels=3, hop=8, hidden=3, kernels=(), hold=8)
    model = WaveNet(dataclasses.replace(SPEC, conditioning=(local,)), weight_norm=True)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    warm_start.begin(model, path)
    given = checkpoint.load(path).ema
    for name, value in model.state_dict().items():
        same = before[name] if name.startswith("conditioners.") else given[name]
        torch.testing.assert_close(value, same, rtol=0, atol=0)


def test_a_network_of_another_shape_is_refused(path: Path) -> None:
    wider = dataclasses.replace(SPEC, residual_channels=SPEC.residual_channels * 2)
    with pytest.raises(WavestepError, match=r"before.pt has no layer of this model's shape"):
        warm_start.begin(WaveNet(wider, weight_norm=True), path)
    with pytest.raises(WavestepError, match="does not exist"):
        warm_start.begin(WaveNet(SPEC), path.with_name("none.pt"))
