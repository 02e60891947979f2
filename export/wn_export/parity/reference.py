"""reference.npz: what parity is held against, in a file that NumPy alone reads.

So a device without torch can prove its engines. Whoever made the file, what `load` returns is a
reference of the model's spec: nothing behind it asks again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_export.parity import predictions
from wn_export.parity.expected import MOST_CLIPS, Clip, FreeRun, Reference, checked
from wn_runtime import atomic, npz
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model import json_file, strict
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec

MOST_BYTES = 2**27
"""Of the file, and of what is in it: a hundred times what wn-export writes of a usual model."""
_FLOATS, _INTEGERS, _SAMPLES = ("<f4",), ("<i8",), ("|u1", "<i4", "<f4")
_ALWAYS = {
    "words": ("<U",),
    "samples": _SAMPLES,
    "lengths": _INTEGERS,
    "bits": _FLOATS,
    "steps": _INTEGERS,
    "kept": _INTEGERS,
    "params": _FLOATS,
    "free_samples": _SAMPLES,
}
"""The members and what each holds."""
_WITH_FRAMES = {"frames": _FLOATS, "frames_rows": _INTEGERS, "free_frames": _FLOATS}
_WITH_CONDITIONING = {"bias": _FLOATS, "bias_rows": _INTEGERS}


@dataclass(frozen=True)
class Words:
    """What of a reference is text, and a few numbers with it."""

    material: str
    conditions: tuple[dict[str, str], ...]
    """Of each clip."""
    free_conditions: dict[str, str]
    seed: int
    bias_samples: tuple[int, ...]
    """Of each clip."""

    def __post_init__(self) -> None:
        if len(self.material) > 1000:
            raise ValueError(f"material has {len(self.material)} characters, over 1000")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}; it must be 0 or more")
        count = len(self.conditions)
        if not 1 <= count <= MOST_CLIPS or len(self.bias_samples) != count:
            raise ValueError(
                f"there are {count} clips and {len(self.bias_samples)} of their bias; it takes 1 "
                f"to {MOST_CLIPS} of both"
            )


def save(path: Path, reference: Reference) -> None:
    """Write the reference; classes as bytes where they fit. Raises OSError."""
    clips, every = reference.clips, reference.predictions
    words = Words(
        material=reference.material,
        conditions=tuple(dict(clip.conditions) for clip in clips),
        free_conditions=dict(reference.free.clip.conditions),
        seed=reference.free.seed,
        bias_samples=tuple(prediction.bias_samples for prediction in every),
    )
    arrays: dict[str, Any] = {
        "words": np.array(json.dumps(strict.plain(words))),
        "samples": _small(np.concatenate([clip.samples for clip in clips])),
        "lengths": np.array([len(clip.samples) for clip in clips]),
        "bits": np.concatenate([prediction.bits for prediction in every]),
        "steps": np.concatenate([prediction.steps for prediction in every]),
        "kept": np.array([len(prediction.steps) for prediction in every]),
        "params": np.concatenate([prediction.params for prediction in every]),
        "free_samples": _small(reference.free.clip.samples),
    }
    for name, optional in (
        ("frames", [clip.frames for clip in clips]),
        ("bias", [prediction.bias for prediction in every]),
    ):
        given = [array for array in optional if array is not None]
        if given:
            arrays[name] = np.concatenate(given)
            arrays[f"{name}_rows"] = np.array([len(array) for array in given])
    if reference.free.clip.frames is not None:
        arrays["free_frames"] = reference.free.clip.frames
    with atomic.replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load(package: ModelPackage) -> Reference:
    """The reference of a model directory. Raises WavestepError naming the file and the fault."""
    path = package.directory / manifests.REFERENCE
    record = package.manifest.files.get(manifests.REFERENCE)
    if record is not None and record.bytes > MOST_BYTES:
        raise WavestepError(
            f"{path} has {record.bytes} bytes, over {MOST_BYTES}; export the model again"
        )
    return parse(package.read(manifests.REFERENCE), package.spec, str(path))


def parse(data: bytes, spec: ModelSpec, where: str) -> Reference:
    """The content of a file, called `where` in messages: the inverse of `save`.

    Raises WavestepError for what is no reference of a model of this spec.
    """
    types = {**_ALWAYS, **(_WITH_CONDITIONING if spec.conditioning else {})}
    if Timing.of(spec.conditioning).frame_channels:
        types |= _WITH_FRAMES
    try:
        arrays = npz.arrays(data, types, MOST_BYTES)
        words = strict.parse(Words, json_file.loads(npz.text(arrays["words"])), "words")
        clips = _clips(arrays, words, spec)
        free = Clip(arrays["free_samples"], words.free_conditions, arrays.get("free_frames"))
        return Reference(
            material=words.material,
            clips=clips,
            predictions=predictions.of(arrays, words.bias_samples, clips, spec),
            free=FreeRun(checked(free, spec, "the free run"), words.seed),
        )
    except (ValueError, WavestepError) as error:
        raise WavestepError(f"{where} cannot be read ({error}); export the model again") from error


def _clips(arrays: dict[str, NDArray[Any]], words: Words, spec: ModelSpec) -> tuple[Clip, ...]:
    count = len(words.conditions)
    samples = npz.split(arrays, "samples", "lengths", count)
    frames = npz.split(arrays, "frames", "frames_rows", count) if "frames" in arrays else None
    return tuple(
        checked(
            Clip(samples[i], words.conditions[i], frames[i] if frames is not None else None),
            spec,
            f"clip {i}",
        )
        for i in range(count)
    )


def _small(samples: Samples) -> Samples:
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    return samples.astype(np.uint8 if samples.max() < 256 else np.int32)
