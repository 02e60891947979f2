"""A model directory is replaced as a whole or not at all.

    digits/                  the old one, untouched until the new one is complete and proven
    .digits.3f09c2a1.part/   the new one in the making, locked as long as its writer lives
    digits.failed/           where a new one goes whose parity failed

Publishing is one exchange of two names. Killed at any moment, `digits/` is the old directory or
the new one, whole (`wn_runtime.folders`).
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wn_export.package import foreign
from wn_runtime import exchange, folders
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest
from wn_runtime.system.opening import PLAIN

_LONGEST = 255  # bytes of a name


@dataclass(frozen=True)
class Kind:
    """What a directory in the making may take the place of."""

    check: Callable[[Path], None]
    """Raises WavestepError where what is there is not ours to replace."""
    keep: Callable[[Path, Path], None]
    """Puts what is there and not ours into the new one, too."""


class Staged:
    """A directory in the making: write into `path`, then `publish` it or `set_aside`."""

    def __init__(self, target: Path, path: Path, kind: Kind) -> None:
        self.target = target
        self.path = path
        self._kind = kind

    def publish(self) -> None:
        """Make this the directory at `target`; files there that no export wrote are kept."""
        _flush(self.path)
        self._replace(self.target)

    def set_aside(self) -> Path:
        """Keep this as DIR.failed, in place of an older one; `target` stays as it is."""
        failed = failed_name(self.target)
        self._replace(failed)
        return failed

    def _replace(self, target: Path) -> None:
        self._kind.check(target)  # it may have come while this one was made
        if target.exists():
            self._kind.keep(target, self.path)
        folders.put(self.path, target)


@contextmanager
def staged(target: Path, kind: Kind | None = None) -> Iterator[Staged]:
    """Stage a directory for `target`; what is neither published nor set aside is removed.

    kind: None: a model directory.

    Raises WavestepError where `target` is not ours to replace, or the disk refuses to be written.
    """
    made: list[Path] = []
    kind = kind or Kind(check_replaceable, foreign.keep)
    try:
        final = _final(target)
        exchange.restore(final)
        kind.check(final)
        kind.check(failed_name(final))
        made = _made_parents(final)
        with folders.in_the_making(final) as path:
            yield Staged(final, path, kind)
    except BrokenPipeError:  # of stdout: nobody reads any more what is said
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise WavestepError(
            f"{target} cannot be written: {error.strerror or error}{where}; what was there is as "
            "it was"
        ) from error
    finally:
        for parent in made:
            with contextlib.suppress(OSError):  # the new directory is in it
                parent.rmdir()


def check_replaceable(target: Path) -> None:
    """Raise WavestepError unless `target` is free, an empty directory or a model directory."""
    entries = entries_of(target)
    if not entries:
        return
    if manifest.MANIFEST not in entries:
        raise WavestepError(
            f"{target} is not a model directory (it holds {entries[0]!r} and no "
            f"{manifest.MANIFEST}), so it is not replaced; give another -o"
        )
    if manifest.WEIGHTS not in entries:  # many a project has a manifest.json
        try:
            manifest.read(target)
        except WavestepError as error:
            raise WavestepError(
                f"{target} is not a model directory ({error}), so it is not replaced; give "
                "another -o"
            ) from error
    foreign.check(target)


def entries_of(target: Path) -> list[str]:
    """Names in the directory `target`, none where nothing is there, sorted.

    Raises WavestepError where it is something else.
    """
    if not os.path.lexists(target):
        return []
    if not target.is_dir():
        raise WavestepError(f"{target} exists and is not a directory; give another -o")
    return sorted(entry.name for entry in target.iterdir())


def failed_name(target: Path) -> Path:
    """DIR.failed."""
    return target.with_name(target.name + ".failed")


def size(directory: Path) -> int:
    """Bytes of all files; no link is followed."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            status = os.lstat(os.path.join(folder, name))  # noqa: PTH118 (walk gives strings)
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _final(target: Path) -> Path:
    """What is to be replaced: through a link, what it leads to."""
    try:
        if target.is_symlink() or target.name in ("", ".."):
            target = target.resolve()
    except RuntimeError as error:
        raise WavestepError(f"{target} is a link that leads to itself; give another -o") from error
    if not target.name:
        raise WavestepError(f"{target} cannot be a model directory; give another -o")
    if len(os.fsencode(failed_name(target).name)) > _LONGEST:
        raise WavestepError(f"{target} has too long a name; give another -o")
    return target


def _made_parents(target: Path) -> list[Path]:
    """The folders above that had to be made, the lowest first."""
    made = []
    for parent in target.parents:
        if parent.exists():
            break
        made.append(parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    return made


def _flush(directory: Path) -> None:
    """To the disk, so that a power cut after the exchange finds the files whole."""
    windows = sys.platform == "win32"  # opens no folder, and flushes what is open for writing
    for path in directory.rglob("*") if windows else [*directory.rglob("*"), directory]:
        if windows and not path.is_file():
            continue
        descriptor = os.open(path, (os.O_RDWR if windows else os.O_RDONLY) | PLAIN)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
