"""What `wn-targets fit` is asked about: a model directory, a spec in JSON, a preset, and more."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import json_file, manifest
from wn_runtime.model.locating import locate
from wn_runtime.model.spec import ModelSpec
from wn_targets.precision import cuda_precision
from wn_targets.presets import PRESETS

READERS: dict[str, Callable[[Path], tuple[ModelSpec, bool]]] = {}
"""By suffix, how a file is read that only a package above this one knows; it enters a line here.
With the spec, whether the file leaves the rate open."""


@dataclass(frozen=True)
class Subject:
    """A model, as far as its speed depends on it."""

    name: str
    spec: ModelSpec
    native_precision: str
    """What its native engine will run at; int8 where no parity has decided yet."""
    cuda_precision: str
    """The same of its cuda engine."""
    directory: str
    """How a command on the device would name it."""
    rate_assumed: bool = False
    """Whether nobody has said the rate: it is `presets.RATE`."""


def subject(text: str, rate: int | None = None) -> Subject:
    """Read what `text` names; `rate` (Hz) replaces the spec's own.

    Raises WavestepError when it names nothing, or a checkpoint, which only wn-export reads, and for
    a rate that no model has.
    """
    try:
        found = _read(text)
        if rate is None:
            return found
        spec = dataclasses.replace(found.spec, sample_rate=rate)
        return dataclasses.replace(found, spec=spec, rate_assumed=False)
    except ValueError as error:
        raise WavestepError(str(error)) from error
    except OSError as error:  # of the path itself: too long, or not to be entered
        raise WavestepError(f"{text[:60]!r} cannot be read: {error.strerror}") from error


def _read(text: str) -> Subject:
    path = Path(text)
    if not text:
        raise WavestepError(unknown("model", text, PRESETS, "presets are"))
    if text in PRESETS and not path.exists():
        return Subject(text, PRESETS[text], "int8", "int8", f"{text}/", rate_assumed=True)
    if path.suffix in (".pt", ".pth"):
        raise WavestepError(
            f"{path} is a checkpoint; run `wn-export {path}` and give the directory it writes"
        )
    if path.suffix in READERS:
        return _planned(path, *READERS[path.suffix](path))
    if path.suffix == ".json" and path.name != manifest.MANIFEST:
        try:
            data = json_file.load(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise WavestepError(f"{path} cannot be read as JSON: {reason}") from error
        return _planned(path, ModelSpec.from_dict(data, str(path)))
    if not path.exists():
        known = unknown("model", text, PRESETS, "presets are")
        raise WavestepError(
            f"{known}; or give a model directory, a training configuration or a spec in JSON"
        )
    directory, _ = locate(path)
    found = manifest.read(directory)
    precisions = NATIVE.default_precision(found), cuda_precision(found)
    return Subject(found.name, found.spec, *precisions, f"{directory.name}/")


def _planned(path: Path, spec: ModelSpec, rate_assumed: bool = False) -> Subject:
    """What a file describes, and nobody has trained."""
    return Subject(path.stem, spec, "int8", "int8", f"{path.stem}/", rate_assumed)
