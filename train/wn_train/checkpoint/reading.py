"""Reading a checkpoint: the one border behind which every part of it has its type and range.

    archive.py    the file: a ZIP of stored members
    pickled.py    its pickle, as data
    here          name, spec, step and so on
    weights.py, clips.py, progress.py, speech.py    the parts with tensors, while those are unread
    tensors.py    the numbers, once it is known that they are wanted and fit into memory

Nothing in the file is ever run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from wn_runtime import files
from wn_runtime.errors import WavestepError
from wn_runtime.model import names, strict
from wn_runtime.model.spec import ModelSpec
from wn_train.checkpoint import clips, pickled, progress, speech, weights
from wn_train.checkpoint.archive import Archive, Damaged
from wn_train.checkpoint.content import FORMAT, Checkpoint, Speech
from wn_train.checkpoint.pickled import StoredTensor
from wn_train.checkpoint.tensors import Tensors, reserve


@dataclass(frozen=True)
class _Words:
    """What a checkpoint has beside its tensors."""

    name: str
    spec: ModelSpec
    weight_norm: bool
    step: int
    valid_bits: float | None = None
    valid_bits_16: float | None = None
    attribution: str = ""
    config: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names.check(self.name, "name")
        if self.step < 0:
            raise ValueError(f"step is {self.step}; it must be 0 or more")


def load(path: Path) -> Checkpoint:
    """Read a checkpoint on the CPU.

    Raises WavestepError for a file that is missing, truncated, changed, of another kind (a plain
    pickle) or of another format, and for a part that is not what `Checkpoint` says.
    """
    try:
        with files.opened(path) as file:
            archive = Archive(file)
            return _checkpoint(pickled.parse(archive.pickle()), archive, str(path))
    except FileNotFoundError as error:
        raise WavestepError(
            f"{path} does not exist; give a checkpoint that wn-train wrote"
        ) from error
    except OSError as error:
        fix = "; give a checkpoint, or a run's folder with one" if path.is_dir() else ""
        raise WavestepError(f"{path} cannot be read: {error.strerror}{fix}") from error
    except Damaged as error:
        raise WavestepError(
            f"{path} is not a wavestep checkpoint, or is damaged ({error}); no code in it was run; "
            f"{_imported(path)}"
        ) from error


def _imported(where: str | Path) -> str:
    """The way of a model that is not ours."""
    return f"where another project trained it: wn-import {where} -o NAME.pt"


def _checkpoint(data: Any, archive: Archive, where: str) -> Checkpoint:
    version = data.pop("format", None) if isinstance(data, dict) else None
    if type(version) is not int:
        raise WavestepError(
            f"{where} is a PyTorch file, but not a wavestep checkpoint; {_imported(where)}"
        )
    if version != FORMAT:
        mend = "upgrade wavestep" if version > FORMAT else "train it again"
        raise WavestepError(f"{where} has format {version}, this version reads {FORMAT}; {mend}")
    parts = {name: data.pop(name, empty) for name, empty in _EMPTY.items()}
    words = strict.parse(_Words, data, where)
    weights.check_size(parts["ema"], words.spec, f"{where}: ema")
    network = weights.network(words.spec, words.weight_norm)
    expected = weights.shapes(network)
    raw = parts["model"]
    stored = {
        "model": {} if raw == {} else weights.check(raw, expected, f"{where}: model"),
        "ema": weights.check(parts["ema"], expected, f"{where}: ema"),
        "clips": clips.check(parts["clips"], words.spec, f"{where}: clips"),
        "training": progress.check(parts["training"], network, f"{where}: training"),
        "speech": speech.check(parts["speech"], words.spec, f"{where}: speech"),
    }
    tensors = Tensors(archive)
    for each in _stored(stored):
        tensors.check_size(each)
    reserve(_stored(stored), where)
    read = _read(stored, tensors, where)
    clips.check_samples(read["clips"], words.spec, f"{where}: clips")
    progress.check_moments(read["training"], f"{where}: training")
    read["speech"] = Speech(**read["speech"]) if read["speech"] else None
    return Checkpoint(**vars(words), **read)


_EMPTY: Mapping[str, Any] = {"model": {}, "ema": {}, "clips": [], "training": {}, "speech": {}}


def _stored(value: Any) -> Iterator[StoredTensor]:
    if isinstance(value, StoredTensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _stored(item)
    elif isinstance(value, list):
        for item in value:
            yield from _stored(item)


def _read(value: Any, tensors: Tensors, where: str) -> Any:
    """The same with its tensors, which are finite."""
    if isinstance(value, StoredTensor):
        tensor = tensors.read(value)
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WavestepError(f"{where} holds NaN or infinity")
        return tensor
    if isinstance(value, dict):
        return {key: _read(item, tensors, f"{where}: {key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item, tensors, f"{where}[{i}]") for i, item in enumerate(value)]
    return value
