"""From a file to a model of ours: what it is, its settings, its weights.

To add a project: a module with its `FORMAT`, and a line in FORMATS (docs/importing.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from wn_runtime import files, npz
from wn_runtime.errors import WavestepError, unknown
from wn_train.checkpoint.archive import Damaged
from wn_train.importers import ibab, nv_wavenet, r9y9, settings
from wn_train.importers.foreign_weights import Array, ForeignWeights
from wn_train.importers.imported import Format, Imported, Options, Statistics
from wn_train.importers.machine import ForeignTensor, Inert
from wn_train.importers.torch_file import LEGACY, ZIP, TorchFile

FORMATS: dict[str, Format] = {
    each.name: each for each in (r9y9.FORMAT, nv_wavenet.FORMAT, ibab.FORMAT)
}
MOST_BYTES = 2**32
"""Of an .npz of variables."""
_MOST_LIST = 2**20
DEEPEST = 16
"""Modules within modules."""
MOST_LOOKED_AT = 1 << 22
"""Things in all modules, and letters of the full names of tensors, attributes and modules: a model
of a thousand layers has a tenth of that."""
STATISTICS = (
    "write them with: python -c \"import joblib, numpy; s = joblib.load('meanvar.joblib'); "
    "numpy.savez('meanvar.npz', mean=s.mean_, scale=s.scale_)\""
)


def convert(
    path: Path,
    kind: str | None,
    hparams: Path | None,
    given: Sequence[str],
    alignment: str,
    statistics: Path | None,
) -> tuple[Imported, int]:
    """The model in a file, and the steps it was trained for, 0 where nobody says.

    kind: a key of FORMATS; None: as the file looks. given: settings as `name=value`. Raises
    WavestepError for a file that is missing, damaged or another's, for a pickle that names what no
    model needs, and for settings that are missing or not the file's.
    """
    if kind is not None and kind not in FORMATS:
        raise WavestepError(unknown("--from", kind, FORMATS))
    normalised = None if statistics is None else read_statistics(statistics)
    with _opened(path) as (weights, steps):
        fmt = _format(weights, kind, path)
        own = settings.read(hparams, given, fmt.sections)
        try:
            return fmt.convert(weights, Options(own, alignment, normalised)), steps
        except ValueError as error:  # no model is so
            raise WavestepError(f"{path}: {error}") from error


def read_statistics(path: Path) -> Statistics:
    """Mean and scale of frames, from an .npz. Raises WavestepError for what is none."""
    kinds = ("<f4", "<f8")
    try:
        data = files.read(path, 2**20)
        found = npz.arrays(data, {"mean": kinds, "scale": kinds}, 2**20)
        mean, scale = (found[name].astype(np.float64) for name in ("mean", "scale"))
        if mean.ndim != 1 or mean.shape != scale.shape:
            raise ValueError(f"mean is {mean.shape} and scale {scale.shape}; both are (channels,)")
        if not np.isfinite(mean).all() or not np.isfinite(scale).all() or not (scale > 0).all():
            raise ValueError("they are not finite, or scale is not above 0")
    except FileNotFoundError as error:
        raise WavestepError(f"{path} does not exist; {STATISTICS}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(
            f"{path} is no .npz of mean and scale ({reason}); a joblib file may run code and is "
            f"not read; {STATISTICS}"
        ) from error
    return Statistics(mean, scale)


def _format(weights: ForeignWeights, kind: str | None, path: Path) -> Format:
    named = dict.fromkeys(weights.names)
    if kind is None:
        for each in FORMATS.values():
            if each.recognises(named):
                return each
    elif FORMATS[kind].recognises(named):
        return FORMATS[kind]
    known = "; ".join(f"{each.name}: {each.what}" for each in FORMATS.values())
    wanted = f"{kind} model" if kind is not None else "model of a known project"
    raise WavestepError(f"{path} holds no {wanted} ({_first(weights)}); known are {known}")


def _first(weights: ForeignWeights) -> str:
    if not weights.names:
        return "it has no tensors"
    return f"its first tensor is {weights.names[0]!r:.60}"


@contextmanager
def _opened(path: Path) -> Iterator[tuple[ForeignWeights, int]]:
    """The tensors of a file, readable while it is open, and the steps it was trained for."""
    try:
        with files.opened(path) as file:
            start = file.read(len(LEGACY))
            file.seek(0)
            if start.startswith(ZIP) and path.suffix == ".npz":
                yield _of_npz(path), 0
                return
            if start[:2] != b"\x80\x02" and not start.startswith(ZIP):
                raise Damaged(
                    "neither torch.save's nor an .npz: a joblib file or another pickle may run "
                    "code, and is not read; give what the project's training wrote, or an .npz"
                )
            yield _of_torch(file, path)
    except FileNotFoundError as error:
        raise WavestepError(f"{path} does not exist; give a checkpoint") from error
    except OSError as error:
        raise WavestepError(f"{path} cannot be read: {error.strerror}") from error
    except Damaged as error:
        raise WavestepError(f"{path} cannot be imported: {error}; no code in it was run") from error


def _of_torch(file: BinaryIO, path: Path) -> tuple[ForeignWeights, int]:
    opened = TorchFile(file, str(path))
    saved = opened.saved
    if isinstance(saved, dict) and {"format", "spec", "ema"} <= saved.keys():
        raise WavestepError(f"{path} is a wavestep checkpoint already; wn-export {path}")
    steps, tensors, attributes = 0, dict[str, ForeignTensor](), dict[str, Any]()
    if isinstance(saved, dict):
        counts = [saved.get(name) for name in ("global_step", "iteration")]
        steps = next((n for n in counts if type(n) is int and 0 <= n < 2**63), 0)
        inner = saved.get("state_dict", saved.get("model", saved))
        saved = inner if isinstance(inner, (dict, Inert)) else saved
    if isinstance(saved, Inert):
        flat = _Flat()
        flat.add(saved)
        tensors, attributes = flat.tensors, flat.attributes
    elif isinstance(saved, dict):
        tensors = {
            _name(name): value for name, value in saved.items() if isinstance(value, ForeignTensor)
        }
    return ForeignWeights(tensors, opened.read, str(path), attributes), steps


class _Flat:
    """A pickled module's tensors as its state_dict would have them, and its plain attributes."""

    def __init__(self) -> None:
        self.tensors: dict[str, ForeignTensor] = {}
        self.attributes: dict[str, Any] = {}
        self._left = MOST_LOOKED_AT

    def add(self, module: Inert, prefix: str = "", depth: int = DEEPEST) -> None:
        """All of a module's, under names that begin so. Raises Damaged."""
        if not depth:
            raise Damaged(f"its modules are nested deeper than {DEEPEST} levels")
        self._spend(len(module.state))
        for table in ("_parameters", "_buffers"):
            for name, value in self._items(module, table):
                if isinstance(value, ForeignTensor):
                    self.tensors[self._named(prefix, name)] = value
        for name, value in module.state.items():
            if isinstance(value, (int, tuple)):
                self.attributes[self._named(prefix, name)] = value
        for name, value in self._items(module, "_modules"):
            if isinstance(value, Inert):
                self.add(value, f"{self._named(prefix, name)}.", depth - 1)

    def _named(self, prefix: str, name: object) -> str:
        full = prefix + _name(name)
        self._spend(len(full))
        return full

    def _items(self, module: Inert, table: str) -> list[tuple[Any, Any]]:
        found = module.state.get(table, {})
        items = list(found.items()) if isinstance(found, dict) else []
        self._spend(len(items))
        return items

    def _spend(self, count: int) -> None:
        """A module may stand in many places: all that is looked at and named there is bounded."""
        self._left -= count
        if self._left < 0:
            raise Damaged("its modules unfold to more than any model has")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise Damaged(f"a tensor or module of it has a {type(key).__name__} for a name")
    return key


def _of_npz(path: Path) -> ForeignWeights:
    data = files.read(path, MOST_BYTES)
    try:
        every = npz.names(data, _MOST_LIST)
        kinds = ("<f4", "<f8", "<i4", "<i8", "<f2")
        found = npz.arrays(data, dict.fromkeys(every, kinds), MOST_BYTES, (), _MOST_LIST)
    except ValueError as error:
        raise WavestepError(f"{path} cannot be read as .npz: {error}") from error
    own: Mapping[str, Any] = {
        name: array for full, array in found.items() if (name := ibab.variable(full)) is not None
    }

    def read(array: Any) -> Array:
        return np.asarray(array, np.float64)

    return ForeignWeights(own, read, str(path))
