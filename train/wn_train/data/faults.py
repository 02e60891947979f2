"""Every file at fault is found before any is complained of; notes name all, the error the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wn_runtime.commands import say
from wn_runtime.errors import WavestepError
from wn_train.data import decoding
from wn_train.data.decoding import Faulty, Header

MOST_LISTED = 200


class Faults:
    """Those found so far, a line each."""

    def __init__(self, spared: str = "nothing was trained") -> None:
        """spared: what has not happened, for whoever reads the line."""
        self._lines: list[str] = []
        self._spared = spared

    @contextmanager
    def of(self, path: Path) -> Iterator[None]:
        """Note what is wrong with a file, raised in the block as Faulty or WavestepError."""
        try:
            yield
        except Faulty as fault:
            self._lines.append(f"{path}: {fault}")
        except WavestepError as fault:  # which names it
            self._lines.append(str(fault))

    def headers(
        self, paths: Iterable[Path], before_each: Callable[[], None] = lambda: None
    ) -> dict[Path, Header]:
        """Of all files. Raises WavestepError as `check`; before_each may raise, too."""
        found = {}
        for path in paths:
            before_each()
            with self.of(path):
                found[path] = decoding.header(path)
        self.check()
        return found

    def check(self) -> None:
        """Raise WavestepError where there are any, and list them before it where there are more."""
        if self._lines:
            count = len(self._lines) - 1
            more = f" (and {count} more files at fault)" if count else ""
            for line in self._lines[: MOST_LISTED if count else 0]:
                say.note(line)
            if count >= MOST_LISTED:
                say.note(f"and {count + 1 - MOST_LISTED} more")
            raise WavestepError(f"{self._lines[0]}{more}; mend or remove it, {self._spared}")
