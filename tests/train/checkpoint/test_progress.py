"""What a run goes on from: moments of every parameter's shape, and a place in the data."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.train.checkpoint.made import Change, written
from wn_runtime.errors import WavestepError
from wn_train import checkpoint


def training(**parts: Any) -> Change:
    return lambda data: data["training"].update(parts)


def optimizer(**parts: Any) -> Change:
    return lambda data: data["training"]["optimizer"].update(parts)


def moment(number: Any, **parts: Any) -> Change:
    return lambda data: data["training"]["optimizer"]["state"][number].update(parts)


def group(**parts: Any) -> Change:
    return lambda data: data["training"]["optimizer"]["param_groups"][0].update(parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(training=3), "expected optimizer, position and best"),
        (lambda data: data["training"].pop("best"), "expected optimizer, position and best"),
        (training(more=1), "expected optimizer, position and best"),
        (training(position=3), "position is no epoch and batch"),
        (training(position=[1]), "position is no epoch and batch"),
        (training(position=[0, -1]), "position is no epoch and batch"),
        (training(position=[0.0, 1]), "position is no epoch and batch"),
        (training(position=[True, 1]), "position is no epoch and batch"),
        (training(position=[2**63, 1]), "position is no epoch and batch"),
        (training(best=None), "best is no number of bits"),
        (training(best=math.nan), "best is no number of bits"),
        (training(best=-math.inf), "best is no number of bits"),
        (training(optimizer=[]), "expected state and param_groups"),
        (optimizer(more=1), "expected state and param_groups"),
        (optimizer(state=[]), "state is no table"),
        (optimizer(state={"0": {}}), "state is no table"),
        (optimizer(state={99: {}}), "state is no table"),
        (optimizer(state={0: {}}), "state: 0: expected step, exp_avg and exp_avg_sq"),
        (optimizer(param_groups=3), "param_groups: expected a list"),
        (optimizer(param_groups=[{}, {}]), "not those of this model's parameters"),
        (group(params=[0]), "not those of this model's parameters"),
        (group(lr=torch.zeros(1)), "nothing that JSON can hold"),
        (group(lr=math.nan), "no finite number"),
        (moment(0, more=1), "state: 0: expected step, exp_avg and exp_avg_sq"),
        (moment(0, step=3), "state: 0: step is no tensor of float32"),
        (moment(0, step=torch.tensor(-1.0)), "state: 0: step is below zero"),
        (moment(0, exp_avg=torch.zeros(3)), "state: 0: exp_avg: the weights are not its spec's"),
        (moment(1, exp_avg=None), "state: 1: exp_avg is no tensor of float32"),
    ],
)
def test_another_state_of_a_run_is_one_line(tmp_path: Path, change: Change, message: str) -> None:
    path = written(tmp_path / "last.pt", change=change)
    with pytest.raises(WavestepError) as error:
        checkpoint.load(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("exp_avg", math.nan, "exp_avg holds NaN or infinity"),
        ("exp_avg_sq", math.inf, "exp_avg_sq holds NaN or infinity"),
        ("exp_avg_sq", -1.0, "exp_avg_sq is below zero"),
    ],
)
def test_moments_that_no_optimizer_has_are_refused(
    tmp_path: Path, name: str, value: float, message: str
) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["training"]["optimizer"]["state"][2][name].view(-1)[:1].fill_(value)

    path = written(tmp_path / "last.pt", change=spoil)
    with pytest.raises(WavestepError, match=message):
        checkpoint.load(path)


def test_a_run_that_was_not_validated_yet_has_no_best(tmp_path: Path) -> None:
    path = written(tmp_path / "last.pt", change=training(best=math.inf))
    assert checkpoint.load(path).training["best"] == math.inf
