"""What a shell offers where the name of a device is wanted."""

from __future__ import annotations

import click


def target_names(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Of the devices known."""
    from wn_targets.devices.catalogue import TARGETS

    return [name for name in TARGETS if name.startswith(begun)]
