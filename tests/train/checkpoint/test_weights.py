"""The weights of a checkpoint are those of its spec: float32, finite, with memory of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.train.checkpoint.made import SPEC, Change, written
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.checkpoint import weights

NAME = "layers.0.gate.weight"
TABLE = "conditioners.0.tables.speaker"
SHAPE = (SPEC.kernel, SPEC.residual_channels, SPEC.gate_channels)


def weight(value: Any, part: str = "ema", name: str = NAME) -> Change:
    return lambda data: data[part].update({name: value})


def changed(make: Callable[[torch.Tensor], Any]) -> Change:
    return lambda data: data["ema"].update({NAME: make(data["ema"][NAME])})


def spoilt(value: float) -> Change:
    return lambda data: data["ema"][NAME].view(-1)[5:6].fill_(value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(ema=[]), "the weights are not its spec's"),
        (lambda data: data.update(ema={}), "the weights are not its spec's"),
        (lambda data: data.pop("ema"), "the weights are not its spec's"),
        (lambda data: data.update(model=[1]), "model: it is no table of weights"),
        (lambda data: data["ema"].pop("skip.bias"), "(it lacks 'skip.bias')"),
        (lambda data: data["model"].pop("skip.bias"), "(it lacks 'skip.bias')"),
        (weight(torch.zeros(3), name="more"), "(it has 'more')"),
        (weight(torch.zeros(3)), "the weights are not its spec's"),
        (weight(torch.zeros(SHAPE[::-1])), "(size [16, 8, 2], not [2, 8, 16])"),
        (weight("zero", name=TABLE), f"ema: {TABLE} is no tensor of float32"),
        (weight([1.0], name=TABLE), f"ema: {TABLE} is no tensor of float32"),
        (changed(lambda w: w.long()), f"ema: {NAME} is no tensor of float32"),
        (changed(lambda w: w.double()), "torch DoubleStorage"),
        (changed(lambda w: w.half()), "torch HalfStorage"),
        (changed(lambda w: w.bfloat16()), "torch BFloat16Storage"),
        (changed(lambda w: w + 0j), "torch ComplexFloatStorage"),
        (changed(lambda w: w.to_sparse()), "no checkpoint has"),
        (changed(torch.nn.Parameter), "_rebuild_parameter"),
        (changed(lambda w: w.to("meta")), "no checkpoint has"),
        (changed(lambda w: torch.zeros(1).expand(SHAPE)), "row by row"),
        (changed(lambda w: torch.zeros(SHAPE[::-1]).permute(2, 1, 0)), "row by row"),
        (changed(lambda w: torch.zeros(w.numel() + 1)[1:].view(SHAPE)), "row by row"),
        (changed(lambda w: torch.zeros(w.numel() + 1)[:-1].view(SHAPE)), "bytes, the tensor of it"),
        (spoilt(np.nan), f"ema: {NAME} holds NaN or infinity"),
        (spoilt(-np.inf), f"ema: {NAME} holds NaN or infinity"),
    ],
)
def test_other_weights_are_one_line(tmp_path: Path, change: Change, message: str) -> None:
    path = written(tmp_path / "best.pt", change=change)
    with pytest.raises(WavestepError) as error:
        checkpoint.load(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_network_is_compared_without_its_memory() -> None:
    network = weights.network(SPEC, weight_norm=True)
    assert all(parameter.is_meta for parameter in network.parameters())
