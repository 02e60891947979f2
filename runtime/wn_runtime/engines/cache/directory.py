"""Where compiled code is kept between runs: a directory that only this user can write."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.system import owner


def cache_directory() -> Path:
    """$XDG_CACHE_HOME/wavestep, made if need be; a temporary one where there is no writable home.

    Whichever it is, a process that is given its parent as XDG_CACHE_HOME finds the same.

    Raises WavestepError when it belongs to another user, or is a link.
    """
    home = home_directory("XDG_CACHE_HOME", ".cache")
    if home is None:
        return _temporary()
    root = home / "wavestep"
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = root.lstat()
        if stat.S_ISLNK(status.st_mode):  # whose folder it is, and who may write there, may change
            raise WavestepError(f"{root} is a link; set XDG_CACHE_HOME to where it leads")
        if not owner.is_mine(status):
            raise WavestepError(
                f"{root} belongs to user {status.st_uid}, not to you; set XDG_CACHE_HOME to a "
                "directory of your own"
            )
        if owner.open_to_others(status) or stat.S_IMODE(status.st_mode) & 0o700 != 0o700:
            root.chmod(0o700)
        if os.access(root, os.W_OK | os.X_OK):
            return root
    except OSError:
        pass
    return _temporary()


def home_directory(
    variable: str, default: str, environ: Mapping[str, str] = os.environ
) -> Path | None:
    """The user's folder of a kind (XDG Base Directory Specification); None without a home.

    On Windows, without the variable, it is %LOCALAPPDATA%.

    A path that is not absolute is ignored, as the specification asks: `~/.cache` in a variable
    that no shell expanded would make a folder called `~` wherever one stands.
    """
    chosen = Path(environ.get(variable, ""))
    if chosen.is_absolute():
        return chosen
    return owner.folder_of(default, environ)


@functools.cache
def _temporary() -> Path:
    home = Path(tempfile.mkdtemp(prefix="wavestep-"))  # mode 0700
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    root = home / "wavestep"
    root.mkdir(mode=0o700)
    return root
