"""How engines are prepared at export: what each needs in the model directory beyond the weights.

An engine made from the weights needs nothing here, and one that runs the step graph finds it. For
any other, a line in `BEFORE_PARITY` (what parity is to prove) or in `AFTER_PARITY` (what depends on
which precision passed).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wn_export.package import cubins, libraries, plan
from wn_runtime.model.manifest import Manifest
from wn_targets.constraints import Constraints


@dataclass(frozen=True)
class Preparation:
    """What is being exported."""

    directory: Path
    """Where the new directory is in the making."""
    target: Path
    """Where it will be; an older one may be there."""
    fp16: bool
    version_compatible: bool
    device: Constraints | None
    """Whose needs are met."""
    plain_plan: bool = False
    """Whether a plan is of the step graph, even where it could be fused."""
    every_precision: bool = False
    """Whether the device's native engine is compiled at each of its precisions."""


Preparer = Callable[[Preparation, Manifest], tuple[Manifest, str | None]]
"""The manifest with what was made, not written, and a line for the user."""


def _plan(preparation: Preparation, manifest: Manifest) -> tuple[Manifest, str | None]:
    device = preparation.device
    if device is not None and device.tensorrt is None:
        return manifest, None  # and nothing said of a plan that could be built there
    return plan.try_plan(
        preparation.directory,
        manifest,
        preparation.target,
        preparation.fp16,
        preparation.version_compatible,
        preparation.plain_plan,
    )


def _library(preparation: Preparation, manifest: Manifest) -> tuple[Manifest, str | None]:
    device = preparation.device
    if device is None or device.march is None:
        return manifest, None
    return libraries.add_library(
        preparation.directory,
        manifest,
        device.march,
        preparation.target,
        device.system,
        preparation.every_precision,
    )


def _cubins(preparation: Preparation, manifest: Manifest) -> tuple[Manifest, str | None]:
    if preparation.device is None or preparation.device.gpu_code is None:
        return cubins.with_default(manifest), None  # those of an earlier export are kept
    return cubins.add_cubins(
        preparation.directory,
        manifest,
        preparation.device.gpu_code,
        preparation.target,
        loop=preparation.device.tensorrt is not None,
    )


BEFORE_PARITY: dict[str, Preparer] = {"tensorrt": _plan}
AFTER_PARITY: dict[str, Preparer] = {"native": _library, "cuda": _cubins}
"""Engine to how it is prepared."""
