"""What a shell offers after Tab: engines, precisions, and the names that the model given has.

    eval "$(_WN_RUN_COMPLETE=bash_source wn-run)"        also zsh_source, fish_source

Whatever is wrong with the model is said when the command is run, not while it is typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from wn_runtime.errors import WavestepError

Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def engines(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Names of engines."""
    from wn_runtime.engines.registry import ENGINES

    return _beginning(begun, ENGINES)


def precisions(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Of all engines."""
    from wn_runtime.engines.registry import ENGINES

    every = dict.fromkeys(p for kind in ENGINES.values() for p in kind.precisions)
    return _beginning(begun, every)


def values_of(condition: str) -> Completion:
    """Values of one condition, as `--speaker` takes them."""

    def complete(context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
        return _beginning(begun, _conditions(context).get(condition, ()))

    return complete


def settings(context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """NAME=VALUE: all of them, so that one Tab shows what there is."""
    conditions = _conditions(context)
    every = (f"{name}={value}" for name, values in conditions.items() for value in values)
    return _beginning(begun, every)


def tags(context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Tags of all conditions that have some."""
    conditions = _conditions(context, "tags")
    return _beginning(begun, (value for values in conditions.values() for value in values))


def _conditions(context: click.Context, kind: str | None = None) -> dict[str, tuple[str, ...]]:
    """Of the model named so far; none where none is, or it cannot be read."""
    from wn_runtime.model import manifest as manifests
    from wn_runtime.model.locating import locate

    # An option that still waits for its value keeps click from sorting arguments into parameters.
    model = context.params.get("model") or next(iter(context.args), None)
    if model is None:
        return {}
    try:
        found = manifests.read(locate(Path(model))[0])
    except (WavestepError, OSError):
        return {}
    return {c.name: c.values for c in found.spec.conditions if kind in (None, c.kind)}


def _beginning(begun: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(begun)]
