"""Flags of os.open that are not on every system: 0 where one has no such thing."""

from __future__ import annotations

import os

NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
FOLDER: int = getattr(os, "O_DIRECTORY", 0)
NO_WAITING: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
"""For a named pipe to be written, nor for a terminal to become this process's own."""
PLAIN: int = (
    getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
)
"""Not for programs that are started, and, on Windows, every byte as it is."""
