"""A path that a user gives a command, as click's type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class _Named(click.Path):
    """A path that is one: `""`, a variable that was not set, is not the working directory."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click's, but for what is empty."""
        if value == "":
            self.fail("it is empty; name a file or a directory", param, ctx)
        return super().convert(value, param, ctx)


# What cannot be read, or need not be, is said by who opens it.
a_path = _Named(path_type=Path, readable=False)
