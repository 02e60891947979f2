"""Fields of a spec or a configuration that have a least and a greatest value."""

from __future__ import annotations

from collections.abc import Mapping

Ranges = Mapping[str, tuple[float, float]]
"""By the field's name, both ends allowed."""


def check(value: object, ranges: Ranges) -> None:
    """Raise ValueError for the first field of `value` that is out of its range."""
    for name, (low, high) in ranges.items():
        given = getattr(value, name)
        if not low <= given <= high:
            raise ValueError(f"{name} is {given}; it must be {low:.15g} to {high:.15g}")
