"""What `wn-targets fit` is asked about: a model directory, a spec in JSON, or a preset."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import manifest
from wn_runtime.model.spec import ModelSpec
from wn_targets.presets import PRESETS


@dataclass(frozen=True)
class Subject:
    """A model, as far as its speed depends on it."""

    name: str
    spec: ModelSpec
    native_precision: str
    """What its native engine will run at; int8 where no parity has decided yet."""
    directory: str
    """How a command on the device would name it."""


def subject(text: str, rate: int | None = None) -> Subject:
    """Read what `text` names; `rate` (Hz) replaces the spec's own.

    Raises WavestepError when it names nothing, or a checkpoint, which only wn-export reads.
    """
    found = _read(text)
    if rate is None:
        return found
    return dataclasses.replace(found, spec=dataclasses.replace(found.spec, sample_rate=rate))


def _read(text: str) -> Subject:
    path = Path(text)
    if text in PRESETS and not path.exists():
        return Subject(text, PRESETS[text], "int8", f"{text}/")
    if path.suffix in (".pt", ".pth"):
        raise WavestepError(
            f"{path} is a checkpoint; run `wn-export {path}` and give the directory it writes"
        )
    if path.suffix == ".json" and path.name != manifest.MANIFEST:
        try:
            data = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise WavestepError(f"{path} cannot be read as JSON: {error}") from error
        return Subject(path.stem, ModelSpec.from_dict(data, str(path)), "int8", f"{path.stem}/")
    if not path.exists():
        known = unknown("model", text, PRESETS, "presets are")
        raise WavestepError(f"{known}; or give a model directory or a spec in JSON")
    directory, _ = manifest.locate(path)
    found = manifest.read(directory)
    return Subject(found.name, found.spec, NATIVE.default_precision(found), f"{directory.name}/")
