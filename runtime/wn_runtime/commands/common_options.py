"""The options of every command: -h, --version, -q, -v and --debug."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from wn_runtime.commands import say
from wn_runtime.log import log


def options() -> list[click.Option]:
    """Without -h, which is click's own."""

    def option(*names: str, words: str, callback: Any = None, eager: bool = False) -> click.Option:
        return click.Option(
            list(names),
            is_flag=True,
            expose_value=False,
            is_eager=eager,
            callback=callback,
            help=words,
        )

    return [
        option("-q", "--quiet", words="No notes, no progress, no advice.", callback=_quiet),
        option("-v", "--verbose", words="Also what was tried and what it took.", callback=_verbose),
        option("--debug", words="Show the traceback of an error."),
        option("--version", words="Show the version.", callback=_version, eager=True),
    ]


def version() -> str:
    """Of the distribution; `unknown` for sources that were never installed."""
    from importlib import metadata

    try:
        return metadata.version("wavestep")
    except metadata.PackageNotFoundError:
        return "unknown"


@contextmanager
def account() -> Iterator[None]:
    """With -v, at the end: how long all of it took, and the most memory it had."""
    began = time.monotonic()
    try:
        yield
    finally:
        if say.volume == say.VERBOSE:
            log.info("%.2f s%s", time.monotonic() - began, _memory())
        log.removeHandler(_HANDLER)


def _memory() -> str:
    try:
        import resource
    except ImportError:  # not on Windows
        return ""
    import sys

    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, getrusage(2)
    return f", {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6:.0f} MB at most"


class _Said(logging.Handler):
    """What the parts log, as lines on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        say.line(f"verbose: {record.getMessage()}", err=True)


_HANDLER = _Said()


def _quiet(_context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given:
        _not_both(say.VERBOSE)
        say.volume = say.QUIET


def _verbose(context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given and not context.resilient_parsing:
        _not_both(say.QUIET)
        say.volume = say.VERBOSE
        log.setLevel(logging.INFO)
        log.addHandler(_HANDLER)
        log.info(_about())


def _not_both(other: int) -> None:
    if say.volume == other:
        raise click.UsageError("-q and -v exclude one another; give one")


def _about() -> str:
    """What a report of a fault needs to say."""
    import platform

    return f"wavestep {version()}, Python {platform.python_version()}, {platform.platform()}"


def _version(context: click.Context, _option: click.Parameter, given: bool) -> None:
    if given and not context.resilient_parsing:
        say.line(f"{context.find_root().info_name} {version()}")
        context.exit()
