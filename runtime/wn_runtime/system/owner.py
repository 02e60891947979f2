"""Whose a file is, and who can write it.

On Windows no mode tells: there what lies in a user's profile is that user's alone, and nothing but
a link is refused.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path


def is_mine(status: os.stat_result) -> bool:
    """Whether this user owns it, as far as the system tells."""
    return sys.platform == "win32" or status.st_uid == os.geteuid()


def is_private(status: os.stat_result) -> bool:
    """Whether it is no link, and this user's alone to write. status: of lstat."""
    if stat.S_ISLNK(status.st_mode) or not is_mine(status):
        return False
    return sys.platform == "win32" or not status.st_mode & 0o022


def open_to_others(status: os.stat_result) -> int:
    """The mode, where others than this user can read, write or enter it; else 0."""
    if sys.platform == "win32" or not status.st_mode & 0o077:
        return 0
    return stat.S_IMODE(status.st_mode)


def home(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The home of this user; None for one who has none, as in many containers."""
    if sys.platform == "win32":
        found = Path(environ.get("USERPROFILE", ""))
    else:
        found = Path(environ.get("HOME") or _on_record())
    return found if found.is_absolute() else None


def folder_of(kind: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where programs keep what is `.cache` or `.local/share` in a user's home; None without one."""
    if sys.platform == "win32":
        local = Path(environ.get("LOCALAPPDATA", ""))
        return local if local.is_absolute() else None
    place = home(environ)
    return None if place is None else place / kind


def _on_record() -> str:
    """In the system's list of users; nothing for one who is not in it."""
    if sys.platform == "win32":
        return ""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return ""
