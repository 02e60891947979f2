"""Importing PyTorch where it is needed: one line for those who have none, and a quiet end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from wn_runtime import extras
from wn_runtime.commands.command import Stopped
from wn_runtime.errors import WavestepError
from wn_runtime.interrupts import NUMBERS

_COUNTS = re.compile(r"\s*0*[1-9]\d{0,5}\s*(,\s*0*[1-9]\d{0,5}\s*)*")


@contextmanager
def pytorch_needed(what: str) -> Iterator[None]:
    """Around imports that end in torch's. Raises WavestepError, "<what> needs torch", for none.

    The same for one that refuses to be imported here: a broken file, a variable it cannot read.
    They take seconds, before anything has begun. A signal that asks to end does so at once: raised
    in the middle of an import, it would be printed by, or lost in, what is just being set up.
    """
    if not _COUNTS.fullmatch(os.environ.get("OMP_NUM_THREADS", "1")):
        del os.environ["OMP_NUM_THREADS"]  # which libgomp ignores as well, and says so on stderr
    try:
        with _ending_at_once():
            yield
    except Exception as error:  # of any library on the way
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        mend = extras.install_train()
        if not isinstance(error, ImportError):
            mend = "it is there, but cannot be imported here"
        raise WavestepError(f"{what} needs torch ({reason}); {mend}") from error


@contextmanager
def _ending_at_once() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in NUMBERS}
    before = {number: handler for number, handler in before.items() if callable(handler)}
    try:
        for number in before:
            signal.signal(number, _end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(2, f"{Stopped(number)}\n".encode())
    os._exit(128 + number)
