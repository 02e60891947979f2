"""The text that wn-run is given: as it stands, or on stdin."""

from __future__ import annotations

import sys

from wn_runtime.commands import streams
from wn_runtime.errors import WavestepError
from wn_runtime.speech.text import MOST_CHARACTERS


def read(given: str) -> str:
    """The text itself; of `-` all that comes on stdin. Raises WavestepError for what is no text."""
    if given != "-":
        return given
    if 0 in streams.CLOSED:
        raise WavestepError("stdin is closed; give the text itself, --text TEXT")
    try:
        data = sys.stdin.buffer.read(4 * MOST_CHARACTERS + 1)
        return data.decode()
    except OSError as error:
        raise WavestepError(f"stdin cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WavestepError("what comes on stdin is not UTF-8; write text to it") from error
