"""A run's folder: this process's alone while it trains, gone again where nothing was trained."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.system.locks import FolderLock


@contextmanager
def run_folder(path: Path, make: bool) -> Iterator[None]:
    """The folder, made where `make` says so and it is not there, and locked within the block.

    The kernel holds the lock, so that it goes with its process, however that ends. Folders that
    were made and are empty at the end are removed. Raises WavestepError where it cannot be made or
    written, or where another process trains into it.
    """
    made: list[Path] = []
    try:
        if make:
            made = [each for each in (path, *path.parents) if not each.exists()]
            path.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(path.resolve(), wait=False)
    except BlockingIOError:
        raise WavestepError(
            f"{path}: another wn-train is training into it; wait for it, or give another -o"
        ) from None
    except FileNotFoundError as error:
        if make:
            raise WavestepError(f"{path} cannot be made: {error.strerror}") from error
        raise WavestepError(
            f"{path} cannot be gone on with: it is not there; leave out --resume to begin it"
        ) from error
    except OSError as error:
        verb = "made" if make else "gone on with"
        raise WavestepError(
            f"{path} cannot be {verb}: {error.strerror}; give another -o"
        ) from error
    try:
        if lock.held and not lock.is_of(path):
            raise WavestepError(f"{path} was removed by another wn-train; try again")
        try:
            if not os.access(path, os.W_OK | os.X_OK):
                raise WavestepError(f"{path} cannot be written: it is read-only; give another -o")
            yield
        finally:
            for each in made:
                with contextlib.suppress(OSError):  # it is not empty: there is something to keep
                    each.rmdir()
    finally:
        lock.close()
