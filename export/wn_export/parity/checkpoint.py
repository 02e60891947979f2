"""PyTorch's answers asked for now, from the checkpoint that a model directory was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wn_export.package.export import choose_excerpts
from wn_export.parity import pytorch
from wn_export.parity.reference import Reference
from wn_runtime.engines.engine import open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights as canonical


def ask_checkpoint(directory: Path, checkpoint: Path, audio: tuple[Path, ...]) -> Reference:
    """The reference for `audio`, or for the checkpoint's own excerpts, all of each.

    Raises WavestepError where the checkpoint is not the one that `directory` was exported from.
    """
    manifest = manifests.read(directory)
    trained = pytorch.load(checkpoint, raw=manifest.source.get("weights") == "raw")
    if trained.model.spec != manifest.spec:
        raise WavestepError(
            f"{checkpoint} is another model than {directory}: its spec differs "
            f"({_difference(trained.model.spec.to_dict(), manifest.spec.to_dict())})"
        )
    exported = canonical.load(directory / manifests.WEIGHTS, manifest.spec)
    for name, array in trained.weights.items():
        if not np.array_equal(array, exported[name]):
            raise WavestepError(
                f"{checkpoint} is another training state than {directory} was exported from "
                f"(weight {name!r} differs); export it first"
            )
    excerpts, material = choose_excerpts(trained, audio)
    draft = open_engine(directory, precision="fp32")
    try:
        return pytorch.make_reference(trained, excerpts, material, draft)
    finally:
        draft.close()


def _difference(one: dict[str, object], other: dict[str, object]) -> str:
    return next(f"{key} is {one[key]}, not {other[key]}" for key in one if one[key] != other[key])
