"""A case: which command, what it is given, and what was done to its files; plain data.

Everything a case needs is in it or made from it, so that its JSON alone runs it again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Edit:
    """One change to a file before the command runs."""

    how: str
    """`module.function` of `tests.fuzz.mutate`."""
    at: str
    """The file or folder, within the working directory."""
    values: dict[str, Any] = field(default_factory=dict)
    """Keywords of that function."""


@dataclass(frozen=True)
class Stop:
    """A signal sent while the command runs."""

    signal: str
    after: float
    """Seconds after its start."""


@dataclass(frozen=True)
class Case:
    """One run of a command. `{work}` and `{victim}` in texts stand for those folders."""

    subject: str
    command: str
    """A key of `commands.COMMANDS`."""
    arguments: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    """What of the world is copied into the working directory."""
    edits: tuple[Edit, ...] = ()
    environment: dict[str, str | None] = field(default_factory=dict)
    """Over the usual one; None: not set."""
    streams: dict[str, str] = field(default_factory=dict)
    """`stdin`, `stdout`, `stderr` to `closed`, `full` or `broken`; stdin to a file of the working
    directory, too. Otherwise a file beside it."""
    limits: dict[str, int] = field(default_factory=dict)
    """Over the usual ones: `RLIMIT_FSIZE` is a disk that is full after so many bytes."""
    stop: Stop | None = None
    fresh: bool = False
    """In an interpreter of its own, rather than a fork of one that has the imports."""

    @property
    def digest(self) -> str:
        """Its name among findings."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @property
    def line(self) -> str:
        """As a shell would have it, roughly."""
        environment = [f"{name}={value!r}" for name, value in self.environment.items()]
        streams = [f"{name}:{how}" for name, how in self.streams.items()]
        words = [
            repr(word) if not word.isprintable() or " " in word else word or "''"
            for word in self.arguments
        ]
        edits = [f"[{e.how} {e.at} {json.dumps(e.values)[:90]}]" for e in self.edits]
        return " ".join([*environment, self.command, *words, *streams, *edits])

    def to_json(self) -> str:
        """Text in ASCII: names that are not UTF-8 come back as they were."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Case:
        """The inverse of `to_json`."""
        data = json.loads(text)
        for name in ("arguments", "inputs"):
            data[name] = tuple(data[name])
        data["edits"] = tuple(Edit(**edit) for edit in data["edits"])
        data["stop"] = None if data["stop"] is None else Stop(**data["stop"])
        return cls(**data)
