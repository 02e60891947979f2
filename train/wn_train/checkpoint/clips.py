"""The clips of a checkpoint: audio and conditions that its model can be asked about."""

from __future__ import annotations

from typing import Any

import numpy as np

from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train.checkpoint.pickled import StoredTensor

MOST_CLIPS = 1024
MOST_SAMPLES = 2**24
"""In all clips together: half an hour at 8 kHz."""


def check(given: Any, spec: ModelSpec, where: str) -> list[dict[str, Any]]:
    """Clips whose tensors are not read yet. Raises WavestepError for what the model cannot mean."""
    if not isinstance(given, list) or len(given) > MOST_CLIPS:
        raise WavestepError(f"{where}: it is no list of at most {MOST_CLIPS} clips")
    found = [_clip(clip, spec, f"{where}[{number}]") for number, clip in enumerate(given)]
    if sum(clip["samples"].shape[0] for clip in found) > MOST_SAMPLES:
        raise WavestepError(f"{where}: they have over {MOST_SAMPLES} samples")
    return found


def check_samples(clips: list[dict[str, Any]], spec: ModelSpec, where: str) -> None:
    """Raise WavestepError for samples that the head has none of."""
    for number, clip in enumerate(clips):
        spec.output.check(clip["samples"].numpy(), f"{where}[{number}]: samples")


def _clip(given: Any, spec: ModelSpec, where: str) -> dict[str, Any]:
    timing = Timing.of(spec.conditioning)
    keys = {"samples", "conditions"} | ({"frames"} if timing.frame_channels else set())
    if not isinstance(given, dict) or set(given) != keys:
        raise WavestepError(f"{where}: it is no clip of {', '.join(sorted(keys))}")
    samples = given["samples"]
    kind = "f" if spec.output.codes is None else "iu"
    if not _is_array(samples, kind, 1):
        raise WavestepError(f"{where}: samples are no row of {spec.output.sample_dtype} numbers")
    found = {"samples": samples, "conditions": _conditions(given["conditions"], spec, where)}
    if timing.frame_channels:
        shape = (timing.frames(samples.shape[0]), timing.frame_channels)
        if not _is_array(given["frames"], "f", 2) or given["frames"].shape != shape:
            raise WavestepError(f"{where}: frames are no float32 numbers of shape {shape}")
        found["frames"] = given["frames"]
    return found


def _conditions(given: Any, spec: ModelSpec, where: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise WavestepError(f"{where}: conditions are no table")
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise WavestepError(f"{where}: conditions are no names with values")
        try:
            spec.condition(name).indices(value)
        except WavestepError as error:
            raise WavestepError(f"{where}: {error}") from error
    return given


def _is_array(given: Any, kinds: str, axes: int) -> bool:
    return (
        isinstance(given, StoredTensor)
        and np.dtype(given.storage.dtype).kind in kinds
        and len(given.shape) == axes
    )
