"""How far a checkpoint's training is: the optimiser's moments, and the place in the data."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_train.checkpoint import weights
from wn_train.network.wavenet import WaveNet
from wn_train.training.optimizer import groups

MOMENTS = ("exp_avg", "exp_avg_sq")
_LARGEST = 2**63 - 1


def check(given: Any, network: WaveNet, where: str) -> dict[str, Any]:
    """The state of a run whose tensors are not read yet; empty in a released checkpoint.

    Raises WavestepError for what cannot be trained on.
    """
    if given == {}:
        return {}
    if not isinstance(given, dict) or set(given) != {"optimizer", "position", "best"}:
        raise WavestepError(f"{where}: expected optimizer, position and best")
    position, best = given["position"], given["best"]
    if not isinstance(position, (list, tuple)) or len(position) != 2:
        raise WavestepError(f"{where}: position is no epoch and batch")
    if any(type(number) is not int or not 0 <= number <= _LARGEST for number in position):
        raise WavestepError(f"{where}: position is no epoch and batch")
    if not isinstance(best, float) or not 0 <= best <= math.inf:  # infinity: not validated yet
        raise WavestepError(f"{where}: best is no number of bits")
    optimizer = _optimizer(given["optimizer"], network, f"{where}: optimizer")
    return {"optimizer": optimizer, "position": list(position), "best": best}


def check_moments(training: dict[str, Any], where: str) -> None:
    """Raise WavestepError for mean squares, and counts of steps, below zero."""
    moments = training["optimizer"]["state"] if training else {}
    for number, each in moments.items():
        for name in ("step", "exp_avg_sq"):
            tensor: Tensor = each[name]
            if bool((tensor < 0).any()):
                raise WavestepError(f"{where}: optimizer: state: {number}: {name} is below zero")


def _optimizer(given: Any, network: WaveNet, where: str) -> dict[str, Any]:
    """Its moments by the number of their parameter, and the numbers of each group."""
    if not isinstance(given, dict) or set(given) != {"state", "param_groups"}:
        raise WavestepError(f"{where}: expected state and param_groups")
    shapes = [tuple(parameter.shape) for group in groups(network) for parameter in group]
    state = given["state"]
    if not isinstance(state, dict) or not state.keys() <= set(range(len(shapes))):
        raise WavestepError(f"{where}: state is no table of {len(shapes)} parameters")
    saved = strict.parse(_Groups, {"param_groups": given["param_groups"]}, where)
    _check_numbers(saved.param_groups, network, where)
    moments = {
        number: _moments(each, shapes[number], f"{where}: state: {number}")
        for number, each in state.items()
    }
    return {"state": moments, "param_groups": list(saved.param_groups)}


@dataclass(frozen=True)
class _Groups:
    param_groups: tuple[Any, ...]
    """Of each `params`, the numbers of its parameters, and settings."""


def _check_numbers(given: tuple[Any, ...], network: WaveNet, where: str) -> None:
    numbers = itertools.count()
    expected = [[next(numbers) for _ in group] for group in groups(network)]
    found = [group.get("params") if isinstance(group, dict) else None for group in given]
    if found != expected:
        raise WavestepError(f"{where}: param_groups are not those of this model's parameters")


def _moments(given: Any, shape: tuple[int, ...], where: str) -> dict[str, Any]:
    if not isinstance(given, dict) or set(given) != {"step", *MOMENTS}:
        raise WavestepError(f"{where}: expected step, {' and '.join(MOMENTS)}")
    shapes = {"step": (), **dict.fromkeys(MOMENTS, shape)}
    return {
        name: weights.float_of_shape(given[name], shapes[name], f"{where}: {name}")
        for name in shapes
    }
