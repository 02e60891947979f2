"""An imported model as a checkpoint of ours, with a clip that parity can be proven on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wn_runtime.conditioning.conditioner import padded_frames
from wn_runtime.conditioning.part import Frames
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_train.checkpoint import Checkpoint, load
from wn_train.importers.imported import Imported
from wn_train.network.wavenet import WaveNet

Given = tuple[Samples, Mapping[str, str], Frames | None]
"""Samples (T,), conditions by name, frames (F, 1, C)."""
SECONDS = 0.25
"""Of noise, where no vectors are given."""
_FROM = "imported from "


def checkpoint_of(
    imported: Imported, model: WaveNet, name: str, steps: int, given: Given | None
) -> Checkpoint:
    """The checkpoint, as one that wn-train released. given: audio to prove it on; None: noise."""
    samples, conditions, frames = given or _noise(imported)
    clip: dict[str, Any] = {
        "samples": torch.from_numpy(np.ascontiguousarray(samples)),
        "conditions": dict(conditions),
    }
    timing = Timing.of(imported.spec.conditioning)
    if timing.frame_channels:
        needed = padded_frames(frames, timing.frames(len(samples)), model.padding())
        clip["frames"] = torch.from_numpy(needed[:, 0].copy())
    return Checkpoint(
        name=name,
        spec=imported.spec,
        weight_norm=False,
        model={},
        ema=model.state_dict(),
        step=steps,
        attribution=f"{_FROM}{imported.project}",
        clips=[clip],
    )


def check_replaceable(path: Path) -> None:
    """Raise WavestepError where `path` is there and is no import, which can be made once more.

    What is empty, as mktemp makes a file, is no loss either.
    """
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return
    try:
        there = load(path)
        # What was trained on an import has a configuration, whatever its attribution says.
        is_import = there.attribution.startswith(_FROM) and not there.config
    except WavestepError:
        is_import = False
    if not is_import:
        raise WavestepError(
            f"{path} is there, and wn-import did not write it; give another -o, or delete it"
        )


def _noise(imported: Imported) -> Given:
    """Quiet noise under frames of noise: no audio, but engines can be held to PyTorch on it."""
    spec, rng = imported.spec, np.random.default_rng(0)
    count = max(2, round(SECONDS * spec.sample_rate))
    samples = spec.output.encode(0.05 * rng.standard_normal(count))
    conditions = {c.name: c.values[0] for c in spec.conditions if c.kind == "categorical"}
    timing = Timing.of(spec.conditioning)
    shape = (-(-count // timing.hop), 1, timing.frame_channels)
    return samples, conditions, rng.standard_normal(shape).astype(np.float32)
