"""Engines of one model, lent to streams: made when needed, kept for the next, up to a cap."""

from __future__ import annotations

import threading
from collections.abc import Callable

from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError


class EnginePool:
    """May be used by several threads."""

    def __init__(
        self, first: Engine, another: Callable[[], Engine], most: int | None = None
    ) -> None:
        """most: engines at a time; None: as many as are asked for."""
        if most is not None and most < 1:
            raise WavestepError(f"max_streams is {most}; it must be at least 1")
        self._another, self._most, self._closed = another, most, False
        self._idle, self._lent = [first], 0
        # A stream that is collected while its thread is in here gives its engine back in here.
        self._lock = threading.RLock()

    def take(self) -> Engine:
        """An engine in silence. Raises WavestepError where all that may be are lent."""
        with self._lock:
            if self._closed:
                raise WavestepError("this model is closed; open it again")
            if self._most is not None and self._lent >= self._most:
                raise WavestepError(
                    f"open streams: {self._lent}, the most there may be; close one, or open the "
                    "model with a larger max_streams"
                )
            self._lent += 1
            engine = self._idle.pop() if self._idle else None
        try:
            if engine is None:
                return self._another()
            engine.reset()
            return engine
        except BaseException:
            with self._lock:
                self._lent -= 1
            raise

    def give_back(self, engine: Engine) -> None:
        """Keep it for the next."""
        with self._lock:
            self._lent -= 1
            if not self._closed:
                self._idle.append(engine)
                return
        engine.close()

    def close(self) -> None:
        """Close those that nobody has; the others when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for engine in idle:
            engine.close()
