"""What every `wn-…` command line shares: one-line errors, `--debug` and clean interruption.

    @command()
    @click.argument("model")
    def main(model: str) -> None: ...

Exit codes: 0 done, 1 a check failed (the command says so itself), 2 an error of the user's,
130 after Ctrl-C, 143 after SIGTERM.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import click

from wn_runtime.errors import WavestepError


class Terminated(KeyboardInterrupt):
    """SIGTERM, raised where Ctrl-C would be: what saves work after one saves it after both."""


class _Stopped(Exception):
    """Carries an interruption, its cause, past click, which would blur what kind it was."""


class _PlainErrors(click.Command):
    """Runs a click command; an error is one line on stderr, never a traceback or a usage page."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        # Read from the arguments in `main`: an error may come before click has parsed them.
        debug = click.Option(
            ["--debug"], is_flag=True, expose_value=False, help="Show the traceback of an error."
        )
        self.params.append(debug)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, with an interruption kept as it was."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interruption:
            raise _Stopped from interruption

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """As click's: returns in a program's hands, exits the process from a command line."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        arguments = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in arguments
        try:
            with _sigterm_as_interrupt():
                code = super().main(arguments, prog_name, complete_var, False, **extra)
                sys.stdout.flush()  # here, where a closed pipe can still be answered
            # click returns the code of ctx.exit(), else the function's own return value.
            sys.exit(code if isinstance(code, int) else 0)
        except click.ClickException as error:
            _fail(error.format_message(), debug)
        except WavestepError as error:
            _fail(str(error), debug)
        except MemoryError as error:
            _fail(f"not enough memory ({error or 'no more'}); a smaller --batch needs less", debug)
        except BrokenPipeError:
            # The reader went away (`| head`); keep the interpreter's last flush quiet.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as error:
            if error.errno == errno.ENOSPC or error.filename is not None:
                _fail(f"{error.filename or 'writing'}: {error.strerror}", debug)
            raise
        except _Stopped as stopped:
            if isinstance(stopped.__cause__, Terminated):
                _interrupted("terminated", 143, debug)
            _interrupted("interrupted", 130, debug)


class _PlainGroup(_PlainErrors, click.Group):
    """The same for a command with subcommands."""

    command_class = _PlainErrors


def command(name: str | None = None, **settings: Any) -> Callable[[Callable[..., Any]], Any]:
    """`click.command` with one-line errors and `--debug`."""
    return click.command(name, cls=_PlainErrors, **settings)


def group(name: str | None = None, **settings: Any) -> Callable[[Callable[..., Any]], click.Group]:
    """`click.group` with one-line errors and `--debug`, for itself and its subcommands."""
    return click.group(name, cls=_PlainGroup, **settings)


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    def raise_terminated(_signum: int, _frame: FrameType | None) -> NoReturn:
        raise Terminated

    try:
        before = signal.signal(signal.SIGTERM, raise_terminated)
    except ValueError:  # not the main thread: signals are another's business
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fail(message: str, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(2)


def _interrupted(word: str, code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    click.echo(word, err=True)
    sys.exit(code)
