"""reference.npz: clips, and what float32 PyTorch made of them; parity is held against this.

Small, and readable with NumPy alone, so that a device without torch can prove its engines. For
every sample of the clips it has PyTorch's bits; params only at evenly spaced steps; the gates' bias
at the start of each clip; and a free-running stream whose every sample PyTorch drew.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import atomic
from wn_runtime.conditioning.part import Frames
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples

_NOT_OURS = (ValueError, KeyError, TypeError, AttributeError)
"""What parsing another NumPy file ends in."""

Conditions = Mapping[str, str]
"""Condition to value, by name; tags joined by `+`."""
BIAS_SAMPLES = 512
"""Samples of a clip whose bias is kept."""


@dataclass(frozen=True)
class Clip:
    """A piece of audio from a true start (silence before it)."""

    samples: Samples
    """(T,) of the model's head."""
    conditions: Conditions
    frames: Frames | None = None
    """(F, 1, C); None for a model that takes none."""


@dataclass(frozen=True)
class Prediction:
    """What PyTorch predicted, teacher-forced over one clip."""

    bits: NDArray[np.float32]
    """(T,) -log2 p of each sample."""
    steps: NDArray[np.int64]
    """(K,) the steps whose params are kept."""
    params: NDArray[np.float32]
    """(K, A)"""
    bias: NDArray[np.float32] | None
    """(N, L, 1, G) of the clip's first `bias_samples`; None for a model without conditioning."""
    bias_samples: int = 0


@dataclass(frozen=True)
class FreeRun:
    """What PyTorch generated from silence."""

    clip: Clip
    """Its samples are (T,), drawn at temperature 1 with stream 0 of the seed."""
    seed: int


@dataclass(frozen=True)
class Reference:
    """The inputs and PyTorch's outputs."""

    material: str
    """Where the clips come from, in words."""
    clips: tuple[Clip, ...]
    predictions: tuple[Prediction, ...]
    free: FreeRun

    @property
    def bits(self) -> float:
        """PyTorch's bits per sample over all clips."""
        every = np.concatenate([prediction.bits for prediction in self.predictions])
        return float(every.mean(dtype=np.float64))

    @property
    def largest(self) -> float:
        """max |params|, what errors are relative to."""
        return max(float(np.abs(prediction.params).max()) for prediction in self.predictions)


def save(path: Path, reference: Reference) -> None:
    """Write the reference; classes as bytes where they fit. Raises OSError."""
    clips, predictions = reference.clips, reference.predictions
    words = {
        "material": reference.material,
        "conditions": [dict(clip.conditions) for clip in clips],
        "free_conditions": dict(reference.free.clip.conditions),
        "seed": reference.free.seed,
        "bias_samples": [prediction.bias_samples for prediction in predictions],
    }
    arrays: dict[str, Any] = {
        "words": np.array(json.dumps(words)),
        "samples": _small(np.concatenate([clip.samples for clip in clips])),
        "lengths": np.array([len(clip.samples) for clip in clips]),
        "bits": np.concatenate([prediction.bits for prediction in predictions]),
        "steps": np.concatenate([prediction.steps for prediction in predictions]),
        "kept": np.array([len(prediction.steps) for prediction in predictions]),
        "params": np.concatenate([prediction.params for prediction in predictions]),
        "free_samples": _small(reference.free.clip.samples),
    }
    for name, optional in (
        ("frames", [clip.frames for clip in clips]),
        ("bias", [prediction.bias for prediction in predictions]),
    ):
        given = [array for array in optional if array is not None]
        if given:
            arrays[name] = np.concatenate(given)
            arrays[f"{name}_rows"] = np.array([len(array) for array in given])
    if reference.free.clip.frames is not None:
        arrays["free_frames"] = reference.free.clip.frames
    with atomic.replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(path: Path) -> Reference:
    """The inverse of `save`. Raises WavestepError naming the file and the fault."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _parse(dict(arrays))
    except FileNotFoundError as error:
        raise WavestepError(f"{path} is missing; export the model again") from error
    except (OSError, EOFError, zipfile.BadZipFile, *_NOT_OURS) as error:
        raise WavestepError(f"{path} cannot be read ({error}); export the model again") from error


def _parse(arrays: dict[str, NDArray[Any]]) -> Reference:
    words = json.loads(str(arrays["words"]))
    ends = np.cumsum(arrays["lengths"])[:-1]
    kept = np.cumsum(arrays["kept"])[:-1]
    count = len(arrays["lengths"])
    samples = np.split(_wide(arrays["samples"]), ends)
    clips = zip(samples, words["conditions"], _pieces(arrays, "frames", count), strict=True)
    predictions = zip(
        np.split(arrays["bits"], ends),
        np.split(arrays["steps"], kept),
        np.split(arrays["params"], kept),
        _pieces(arrays, "bias", count),
        words["bias_samples"],
        strict=True,
    )
    free = Clip(_wide(arrays["free_samples"]), words["free_conditions"], arrays.get("free_frames"))
    return Reference(
        material=words["material"],
        clips=tuple(Clip(*parts) for parts in clips),
        predictions=tuple(Prediction(*parts) for parts in predictions),
        free=FreeRun(free, words["seed"]),
    )


def _pieces(arrays: dict[str, NDArray[Any]], name: str, count: int) -> list[Any]:
    if name not in arrays:
        return [None] * count
    return np.split(arrays[name], np.cumsum(arrays[f"{name}_rows"])[:-1])


def _small(samples: Samples) -> Samples:
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    return samples.astype(np.uint8 if samples.max() < 256 else np.int32)


def _wide(samples: Samples) -> Samples:
    return samples if samples.dtype.kind == "f" else samples.astype(np.int32)
