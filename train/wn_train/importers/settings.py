"""What a model's file does not say: its project's own settings, from JSON and the command line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import json_file, strict

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings given, and where they are from."""

    values: Mapping[str, Any]
    where: str
    named: frozenset[str] = frozenset()
    """Those of the command line: each was meant for this model."""

    def parsed(self, kind: type[T]) -> T:
        """Those that the dataclass `kind` has, of its types; a file's others are of training.

        Raises WavestepError that names the key and the fault, also for one of the command line
        that `kind` has not.
        """
        assert dataclasses.is_dataclass(kind)
        known = {field.name for field in dataclasses.fields(kind)}
        for name in sorted(self.named - known):
            raise WavestepError(unknown("--set", name, sorted(known)))
        given = {
            name: value
            for name, value in self.values.items()
            if name in known and value is not None
        }
        return strict.parse(kind, given, self.where)

    def agree(self, sizes: Mapping[str, tuple[int, int]]) -> None:
        """Raise WavestepError where a size that the settings say, not 0, is not the file's."""
        for name, (said, found) in sizes.items():
            if said and said != found:
                raise self.wrong(f"{name} is {said}, the file has {found}; give its own settings")

    def missing(self, name: str, why: str) -> WavestepError:
        """The error for one that is needed and not there."""
        return WavestepError(
            f"{self.where}: {name} is missing ({why}); give --hparams with it, or --set {name}=…"
        )

    def wrong(self, fault: str) -> WavestepError:
        """The error for one that cannot be."""
        return WavestepError(f"{self.where}: {fault}")


def read(path: Path | None, given: Sequence[str], sections: Sequence[str]) -> Settings:
    """Settings of a JSON file, and over them `name=value` from the command line, values as JSON.

    sections: tables whose keys count as the file's own. Raises WavestepError for a file that is
    missing or no JSON table, and for what is no name with a value.
    """
    values: dict[str, Any] = {}
    if path is not None:
        values = dict(_table(path))
        for section in sections:
            inner = values.pop(section, {})
            if isinstance(inner, Mapping):
                values |= inner
    for word in given:
        name, equals, text = word.partition("=")
        if not equals or not name.isidentifier():
            raise WavestepError(f"--set {word!r:.60} is no name=value, as stacks=2")
        try:
            values[name] = json_file.loads(text)
        except ValueError:
            values[name] = text
    named = frozenset(word.partition("=")[0] for word in given)
    return Settings(values, "no --hparams" if path is None else str(path), named)


def _table(path: Path) -> Mapping[str, Any]:
    try:
        data = json_file.load(path)
    except FileNotFoundError as error:
        raise WavestepError(f"{path} does not exist; give the model's settings as JSON") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(f"{path} cannot be read as JSON: {reason}") from error
    if not isinstance(data, dict):
        raise WavestepError(f"{path} is no table of settings, but {json.dumps(data)[:40]}")
    return data
