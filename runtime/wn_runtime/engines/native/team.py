"""Threads that help with one group of streams: source/team.h says what they do."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import os
import signal
import sys
import weakref
from typing import Any

from numpy.typing import NDArray

from wn_runtime.engines import cores
from wn_runtime.errors import WavestepError


class Team:
    """The helpers of some streams, from now on until they are dismissed, or their engine is gone.

    One that comes late, or never, costs speed and nothing else. They hold what they read, so that
    nobody has to wait for them to leave.
    """

    def __init__(
        self, library: ctypes.CDLL, model: NDArray[Any], state: NDArray[Any], count: int
    ) -> None:
        """Raises WavestepError where threads cannot be started."""
        self._library, self._model, self._state, self._count = library, model, state, count
        self.dismiss = weakref.finalize(self, _dismiss, library, state)
        self.start()

    def start(self) -> None:
        """Start the threads."""
        # Not threading.Thread: where memory is short, its start() waits for ever for a thread
        # that died as it began.
        where = cores.apart()
        for number in range(1, self._count + 1):
            try:
                arguments = (self._library, self._model, self._state, number, where)
                _thread.start_new_thread(_help, arguments)
            except RuntimeError as error:
                self.dismiss()
                raise WavestepError(
                    f"{self._count + 1} threads cannot be had ({error}); give --threads 1"
                ) from error

    def forked(self) -> None:
        """In a process that was forked off: start them there."""
        self._library.wn_forked(self._state.ctypes.data)
        self.start()


def _help(
    library: ctypes.CDLL,
    model: NDArray[Any],
    state: NDArray[Any],
    number: int,
    where: frozenset[int],
) -> None:
    with contextlib.suppress(OSError, ValueError):  # wherever the system puts it
        if sys.platform != "win32":
            # A signal must find the main thread, which may be waiting in a call that it ends.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        if sys.platform not in ("win32", "darwin") and where:
            os.sched_setaffinity(0, where)
    library.wn_help(model.ctypes.data, state.ctypes.data, number)


def _dismiss(library: ctypes.CDLL, state: NDArray[Any]) -> None:
    library.wn_dismiss(state.ctypes.data)
