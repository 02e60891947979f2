"""A condition's table bears its name, whatever PyTorch's modules call their own."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from wn_train.conditioning.tables import Tables

NAMES = ("type", "train", "training", "half", "forward", "_parameters", "table_0", "table_3", "é")


def tables(seed: int) -> Tables:
    torch.manual_seed(seed)
    return Tables({name: torch.randn(2, 3) for name in NAMES})


def test_every_name_is_a_name_of_its_state() -> None:
    assert set(tables(0).state_dict()) == set(NAMES)


def test_a_state_is_loaded_by_the_conditions_names() -> None:
    first, second = tables(0), tables(1)
    one, other = nn.Sequential(first), nn.Sequential(second)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for name in NAMES:
        assert torch.equal(first[name], second[name]), name
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict({})
    with pytest.raises(RuntimeError, match="Unexpected key"):
        other.load_state_dict({**one.state_dict(), "0.more": torch.zeros(2, 3)})


def test_a_module_of_them_is_trained_and_moved_like_any_other() -> None:
    made = tables(0)
    assert not made.eval().training
    assert made.train().training
    assert sum(parameter.numel() for parameter in made.parameters()) == 6 * len(NAMES)
    assert all(parameter.dtype == torch.float64 for parameter in made.double().parameters())


def test_parameters_come_in_the_order_in_which_checkpoints_number_them() -> None:
    made = Tables({name: torch.tensor([float(i)]) for i, name in enumerate(("b", "c", "a"))})
    assert [parameter.item() for parameter in made.parameters()] == [2, 0, 1]
    assert [name for name, _ in made.items()] == ["a", "b", "c"]
