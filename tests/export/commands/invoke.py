"""Commands called as a shell would, without one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from click.testing import CliRunner, Result


def run(main: Any, *arguments: object) -> Result:
    """What a command made of these arguments."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def error_of(main: Any, *arguments: object) -> str:
    """The one line of a command that must be refused with exit code 2."""
    result = run(main, *arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    return result.stderr.strip()


def run_without(
    modules: Sequence[str], command: str, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """`wn_export.commands.<command>` in a process of its own where these cannot be imported."""
    script = f"""
import sys
class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {tuple(modules)!r}:
            raise ModuleNotFoundError(name + " is not here", name=name)
sys.meta_path.insert(0, NotHere())
from wn_export.commands.{command} import main
main()
"""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
