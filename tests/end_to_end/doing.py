"""One command after another, as a user types them."""

from __future__ import annotations

import click
from click.testing import CliRunner


def do(command: click.Command, *arguments: object) -> str:
    """What a command says, which must succeed."""
    done = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output
