"""Whose code may run: the files that this user has said to trust, by their SHA-256.

A model is data, but a directory can bring code beside it: a library compiled ahead of time, a
TensorRT plan. A checksum in the manifest says only that the sender meant to send it. Such a file
runs where its digest stands in this user's own list:

    $XDG_DATA_HOME/wavestep/trusted        (~/.local/share/wavestep/trusted)
    <sha256>  <what it was when it was added>

wn-export adds what it compiles itself; `wn-run --trust DIR` adds what a directory holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from wn_runtime import atomic, files
from wn_runtime.engines.cache.directory import home_directory
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.system.locks import FolderLock
from wn_runtime.system.owner import is_private
from wn_runtime.text import printable

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Untrusted(EngineUnavailable):
    """Code of a model that this user has not said to trust."""


def store() -> Path:
    """Where the list is. Raises WavestepError where there is no home to keep one in."""
    home = home_directory("XDG_DATA_HOME", ".local/share")
    if home is None:
        raise WavestepError(
            "there is no home directory to keep a list of trusted code in; set XDG_DATA_HOME to a "
            "directory of your own"
        )
    return home / "wavestep" / "trusted"


def trusted() -> frozenset[str]:
    """The digests of all that may run; none where there is no list.

    Raises WavestepError for a list that another user owns or could have written.
    """
    try:
        path = store()
    except WavestepError:
        return frozenset()
    try:
        _check_private(path)
        text = files.read(path, files.MOST_TEXT).decode("utf-8", "replace")
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError as error:
        raise WavestepError(f"{path} cannot be read ({error.strerror}); mend or delete it") from (
            error
        )
    words = (line.split(maxsplit=1) for line in text.splitlines())
    return frozenset(w[0] for w in words if w and _DIGEST.fullmatch(w[0]))


def require(digest: str, path: Path) -> None:
    """Raise Untrusted unless code with that digest, of the file `path`, may run."""
    if digest not in trusted():
        raise Untrusted(
            f"{path} is code, and nobody here has said to trust it: if you know who made it, "
            f"wn-run --trust {path.parent}"
        )


def add(digests: Mapping[str, str]) -> None:
    """Trust files from now on: SHA-256 to what it is, for whoever reads the list.

    Raises WavestepError where the list cannot be written.
    """
    path = store()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FolderLock(path.parent.resolve())  # two exports at once
        try:
            known = trusted()
            new = [f"{d}  {printable(what)}\n" for d, what in digests.items() if d not in known]
            if new:
                atomic.write(path, _lines(path) + "".join(new))
                path.chmod(0o600)
        finally:
            lock.close()
    except OSError as error:
        raise WavestepError(
            f"{path} cannot be written ({error.strerror}); set XDG_DATA_HOME to a directory of "
            "your own"
        ) from error


def _lines(path: Path) -> str:
    try:
        text = files.read(path, files.MOST_TEXT).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return text if not text or text.endswith("\n") else text + "\n"


def _check_private(path: Path) -> None:
    """Raise WavestepError unless only this user can write the list and its folder."""
    for each in (path.parent, path):
        if not is_private(each.lstat()):
            raise WavestepError(
                f"{each} is a link, another user's, or may be written by others, so what it says "
                f"to trust is not; mend it with chmod go-w, or delete it"
            )
