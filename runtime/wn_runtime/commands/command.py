"""What every `wn-…` command line shares: options, one-line errors and clean interruption.

    @command()
    @click.argument("model")
    def main(model: str) -> None: ...

Exit codes: 0 done, 1 a check failed (the command says so itself), 2 an error of the user's,
130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, 141 where nobody reads stdout any more, as
of a program that SIGPIPE ends.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import click

from wn_runtime.commands import common_options, say, streams
from wn_runtime.commands.out_of_memory import is_out_of_memory
from wn_runtime.commands.watchdog import watching
from wn_runtime.errors import WavestepError
from wn_runtime.interrupts import NUMBERS, WORDS, Answered

UNREAD = 141
"""Exit code where the reader of stdout has gone; nothing is said of it."""
_LONGEST = 1500  # characters of an error: a value may be as long as a command line


class Stopped(KeyboardInterrupt):
    """A signal that asks to end, raised where Ctrl-C would be: what saves work saves it then."""

    def __init__(self, number: int) -> None:
        super().__init__(WORDS[signal.Signals(number)])
        self.number = number


class _Carried(Exception):
    """Carries an interruption or a broken pipe, its cause, past click, which would blur it."""


class _PlainErrors(click.Command):
    """Runs a click command; an error is one line on stderr, never a traceback or a usage page."""

    def __init__(
        self, *args: Any, before_error: Callable[[], None] = lambda: None, **settings: Any
    ) -> None:
        """before_error: called before one is printed; it may end the process instead."""
        super().__init__(*args, **settings)
        self._before_error = before_error
        self.context_settings.setdefault("help_option_names", ["-h", "--help"])
        self.params.extend(common_options.options())

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """As click's, which prints --help here, with an interruption kept as it was."""
        try:
            return super().make_context(*args, **settings)
        except (KeyboardInterrupt, BrokenPipeError) as interruption:
            raise _Carried from interruption
        except OSError as error:
            raise say.refused(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, with an interruption kept as it was."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as interruption:
            raise _Carried from interruption

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
        if args is None:  # a process of its own: see `command_line`
            command_line()
        arguments = list(sys.argv[1:] if args is None else args)
        # Here, and not by click: an error may come before it has parsed them.
        debug = "--debug" in arguments
        say.volume = say.NORMAL
        try:
            with _signals_as_interrupts(), common_options.account():
                code = super().main(arguments, prog_name, complete_var, False, **extra)
                say.flush()  # here, where a closed pipe can still be answered
            # click returns the code of ctx.exit(), else the function's own return value.
            sys.exit(code if isinstance(code, int) else 0)
        except click.ClickException as error:
            self._fail(error.format_message(), debug)
        except WavestepError as error:
            self._fail(str(error), debug)
        except BrokenPipeError:
            sys.exit(UNREAD)
        except OSError as error:
            where = os.fsdecode(error.filename) if error.filename is not None else "writing"
            self._fail(f"{where}: {error.strerror or error}", debug)
        except (_Carried, click.Abort) as carried:  # Abort: it came before click called us
            _interrupted(carried.__cause__, debug)
        except KeyboardInterrupt as interruption:
            _interrupted(interruption, debug)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._fail(f"not enough memory ({str(error) or 'no more is to be had'})", debug)
        finally:
            streams.settle()

    def _fail(self, message: str, debug: bool) -> NoReturn:
        self._before_error()
        if debug:
            _show_traceback()
        words = " ".join(message.split())
        _last_word(f"error: {words if len(words) <= _LONGEST else words[:_LONGEST] + '…'}")
        sys.exit(2)


class _PlainGroup(_PlainErrors, click.Group):
    """The same for a command with subcommands."""

    command_class = _PlainErrors


def command(name: str | None = None, **settings: Any) -> Callable[[Callable[..., Any]], Any]:
    """`click.command` with one-line errors and the options of every command."""
    return click.command(name, cls=_PlainErrors, **settings)


def group(name: str | None = None, **settings: Any) -> Callable[[Callable[..., Any]], click.Group]:
    """`click.group` with the same, for itself and its subcommands."""
    return click.group(name, cls=_PlainGroup, **settings)


def command_line() -> None:
    """Make this process one of a command's: whole standard streams, no warnings of libraries.

    A signal that comes when all is done, while Python and its libraries end, changes nothing.
    """
    streams.make_whole()
    if threading.current_thread() is threading.main_thread():
        for number in NUMBERS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _end)
        atexit.register(_deaf)  # before what the libraries register, so after it
    sys.unraisablehook = _unraisable
    if not sys.warnoptions:  # nobody asked for them
        warnings.simplefilter("ignore")


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """What asks to end is raised as Stopped; a signal that was ignored (nohup) still is."""
    if threading.current_thread() is not threading.main_thread():  # another's business
        yield
        return

    over = False

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        Answered.now()
        raise stopped(number)  # in no variable: a circle with its own frame would keep it alive

    def stopped(number: int) -> Stopped:
        interruption = Stopped(number)
        weakref.finalize(interruption, again, number)
        return interruption

    def again(number: int) -> None:
        if not over:  # and gone: a library has swallowed it
            _thread.start_new_thread(_resend, (number,))

    before = {}
    with watching(_give_up):
        try:
            for number in NUMBERS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    before[number] = signal.signal(number, stop)
            yield
        finally:
            over = True
            for number, handler in before.items():
                signal.signal(number, handler)


def _interrupted(interruption: BaseException | None, debug: bool) -> NoReturn:
    if debug:
        _show_traceback()
    if isinstance(interruption, BrokenPipeError):
        sys.exit(UNREAD)
    number = interruption.number if isinstance(interruption, Stopped) else signal.SIGINT
    _last_word(WORDS[signal.Signals(number)])
    sys.exit(128 + number)


def _show_traceback() -> None:
    for line in traceback.format_exc().split("\n"):
        say.line(line, err=True)  # the exception's own words are of what was met


def _last_word(text: str) -> None:
    streams.settle()  # what was printed before it comes before it
    say.line(text, err=True)


def _unraisable(what: Any) -> None:
    """An interruption that came in a clean-up of Python's is raised again, and no news."""
    if not issubclass(what.exc_type, Stopped):
        sys.__unraisablehook__(what)


def _resend(number: int) -> None:
    """Away from the finaliser that asks for it, in which an exception would be lost, too."""
    time.sleep(0.01)
    if sys.platform == "win32":  # where os.kill ends a process, whatever the signal
        _thread.interrupt_main(signal.Signals(number))
    else:
        os.kill(os.getpid(), number)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """A signal outside of the command itself: there is nothing to save, and nothing to say."""
    os._exit(128 + number)


def _deaf() -> None:
    """Nothing is left to be ended: Python would give these signals back their default, to die."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


def _give_up(number: int) -> NoReturn:
    """End the process from another thread than the main one, which does not answer."""
    os.write(2, f"{WORDS[signal.Signals(number)]}\n".encode())
    os._exit(128 + number)
