"""PyTorch's outputs made now, from the checkpoint that a model directory was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wn_export.parity import pytorch, trained
from wn_export.parity.clips import choose_clips
from wn_export.parity.expected import Reference
from wn_runtime.engines.choice import open_in
from wn_runtime.errors import WavestepError
from wn_runtime.model.package import ModelPackage


def from_checkpoint(
    package: ModelPackage,
    checkpoint: Path,
    audio: tuple[Path, ...],
    frames: tuple[Path, ...] = (),
) -> Reference:
    """The reference for `audio` with its `frames`, or for the checkpoint's own clips.

    As much of them as one holds.

    Raises WavestepError where the checkpoint is not the one that the model was exported from.
    """
    manifest, directory = package.manifest, package.directory
    model = trained.load(checkpoint, raw=manifest.source.get("weights") == "raw")
    if model.model.spec != manifest.spec:
        raise WavestepError(
            f"{checkpoint} is another model than {directory}: its spec differs "
            f"({_difference(model.model.spec.to_dict(), manifest.spec.to_dict())})"
        )
    exported = package.weights
    for name, array in model.weights.items():
        if not np.array_equal(array, exported[name]):
            raise WavestepError(
                f"{checkpoint} is another training state than {directory} was exported from "
                f"(weight {name!r} differs); export it first"
            )
    clips, material = choose_clips(model, audio, frames=frames)
    draft = open_in(package, None, precision="fp32", threads=1)
    try:
        return pytorch.make_reference(model, clips, material, draft)
    finally:
        draft.close()


def _difference(one: dict[str, object], other: dict[str, object]) -> str:
    return next(f"{key} is {one[key]}, not {other[key]}" for key in one if one[key] != other[key])
