"""A bound on the time of a graph that loops: a call that lasts far too long is ended.

What a loop's end depends on is the graph's own affair, so nothing that is read of it, or seen of a
first call, says that the next one ends. ONNX Runtime looks at a flag between two nodes; a thread
that wakes once in a while sets it. Counted is the process's CPU time, so that one that was stopped,
or has little of a machine, is not taken for one that hangs.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

from wn_runtime.errors import WavestepError

EVERY_S = 0.5
"""How often it looks: a call may last so much longer."""
SLACK_S = 10.0
"""What any call may take: other threads of the process count too."""
THREAD = "wavestep-watch"


class Watch:
    """Looks after one call at a time, as long as it is referred to."""

    def __init__(self) -> None:
        self._until, self._options = math.inf, None
        self.start()

    def start(self) -> None:
        """Begin to look; again in a process that was forked off, where the thread is not."""
        self._until = math.inf
        looking = threading.Thread(
            target=_look, args=(weakref.ref(self),), name=THREAD, daemon=True
        )
        looking.start()

    @contextlib.contextmanager
    def within(self, seconds: float, what: str) -> Iterator[Any]:
        """RunOptions for a call of `what` that must end within so many seconds, and `SLACK_S`.

        Raises WavestepError where it did not.
        """
        import onnxruntime as ort

        options = ort.RunOptions()
        self._options, self._until = options, time.process_time() + seconds + SLACK_S
        try:
            yield options
        except Exception as error:
            if not options.terminate:
                raise
            raise WavestepError(
                f"{what} had not ended after {seconds + SLACK_S:.1f} s, far longer than a model of "
                "this spec takes: it is another graph; export the model again"
            ) from error
        finally:
            self._until = math.inf

    def look(self) -> None:
        """End the call where its time is over."""
        if time.process_time() > self._until and self._options is not None:
            self._options.terminate = True


def _look(watch: weakref.ref[Watch]) -> None:
    while True:
        time.sleep(EVERY_S)
        found = watch()
        if found is None:
            return
        found.look()
        del found
