"""Arguments of the API: of the right type, or a TypeError that names them; in range, or a line."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError


def integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """An integer, NumPy's too, from `low` to `high`.

    Raises TypeError for another type, WavestepError for another value.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise wrong_type(name, value, "an integer")
    if number < low:
        raise WavestepError(f"{name} is {shown(number)}; it must be at least {low}")
    if high is not None and number > high:
        raise WavestepError(f"{name} is {shown(number)}; it must be at most {high}")
    return number


def real(name: str, value: Any) -> float:
    """A number, NumPy's too. Raises TypeError for another type; NaN and infinity are numbers."""
    several = getattr(value, "ndim", 0) != 0
    if several or isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
        raise wrong_type(name, value, "a number")
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError) as error:  # an array of several
        raise wrong_type(name, value, "a number") from error


def array(name: str, value: Any, kinds: str = "fiu") -> NDArray[Any]:
    """A NumPy array of real numbers, or what NumPy makes one of. Raises TypeError for others.

    kinds: the `dtype.kind`s that it may have.
    """
    try:
        found = np.asarray(value)
    except (TypeError, ValueError) as error:  # lists of different lengths
        raise wrong_type(name, value, "an array of numbers") from error
    if found.dtype.kind not in kinds:
        what = "integers" if kinds == "iu" else "numbers"
        raise TypeError(f"{name} must be an array of {what}, not of {found.dtype}")
    return found


def text(name: str, value: Any) -> str:
    """A string. Raises TypeError for another type."""
    if not isinstance(value, str):
        raise wrong_type(name, value, "a string")
    return value


def wrong_type(name: str, value: object, expected: str) -> TypeError:
    """The error for an argument of another type."""
    return TypeError(f"{name} must be {expected}, not {type(value).__name__} ({shown(value)})")


def shown(value: object) -> str:
    """A value in a message: at most 60 characters of it."""
    try:
        whole = repr(value)
    except Exception:  # an integer of more digits than Python prints, or another's own repr
        return f"a {type(value).__name__} too large to print"
    return whole if len(whole) <= 60 else whole[:57] + "..."
