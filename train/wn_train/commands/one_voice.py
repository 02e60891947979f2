"""Under torchrun a mistake is every process's: the first of a machine says it, the others do not.

One that comes first would end the first before it has spoken, as torchrun ends all that are left:
so the others wait to be ended. Whoever is not has an error of its own, and says it.
"""

from __future__ import annotations

import os
import signal
import time

from wn_runtime.commands import say

WAIT = 10.0
"""Seconds that processes started together are apart, at the most, on their way to an error."""
_MISTAKE = 2


def is_first() -> bool:
    """Whether this process is the only one here, or the one that speaks for those of its machine.

    What torchrun did not set is looked at later, by who joins the processes.
    """
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    return not several or os.environ.get("LOCAL_RANK", "0") in ("", "0")


def hush() -> None:
    """Notes and bars are the first one's."""
    if not is_first():
        say.volume = say.QUIET


def leave_it_to_the_first() -> None:
    """Called before an error is said: does not return where another says it."""
    if not is_first():
        signal.signal(signal.SIGTERM, lambda *_: os._exit(_MISTAKE))
        time.sleep(WAIT)
