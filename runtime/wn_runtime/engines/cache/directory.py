"""Where compiled code is kept between runs: a directory that only this user can write."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import stat
import tempfile
from pathlib import Path

from wn_runtime.errors import WavestepError


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/wavestep, made if need be; a temporary one where there is no writable home.

    Raises WavestepError when it belongs to another user.
    """
    home = os.environ.get("XDG_CACHE_HOME")
    root = (Path(home) if home else _home() / ".cache") / "wavestep"
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = root.stat()
        if status.st_uid != os.geteuid():
            raise WavestepError(
                f"{root} belongs to user {status.st_uid}, not to you; set XDG_CACHE_HOME to a "
                "directory of your own"
            )
        if stat.S_IMODE(status.st_mode) != 0o700:
            root.chmod(0o700)
        if os.access(root, os.W_OK | os.X_OK):
            return root
    except OSError:
        pass
    return _temporary()


def _home() -> Path:
    """The user's, or a place that cannot be written where there is none."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


@functools.cache
def _temporary() -> Path:
    path = Path(tempfile.mkdtemp(prefix="wavestep-"))  # mode 0700
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path
