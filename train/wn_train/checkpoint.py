"""Checkpoints: what is in them, written atomically, read without running any code."""

from __future__ import annotations

import os
import pickle
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wn_runtime import atomic
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

FORMAT = 2
"""The format that this version writes and reads."""


@dataclass
class Checkpoint:
    """A model with its names, and what is needed to train on."""

    name: str
    spec: ModelSpec
    weight_norm: bool
    """Whether the weights are stored as weight norm's g and v."""
    model: dict[str, Tensor]
    """`WaveNet.state_dict()`; empty in a released checkpoint, which has the averaged ones only."""
    ema: dict[str, Tensor]
    """The exponential moving average of the same weights."""
    step: int
    """Optimiser steps so far."""
    valid_bits: float | None = None
    """Bits per sample of the averaged weights on the validation split."""
    attribution: str = ""
    """Sources and licence of the training data."""
    config: dict[str, Any] = field(default_factory=dict)
    """The run's `config.Config`, as plain types."""
    clips: list[dict[str, Any]] = field(default_factory=list)
    """Held-back real audio for parity, as `data.clips` chooses it: `samples`, `conditions` name to
    value, and `frames` for a model that takes them."""
    training: dict[str, Any] = field(default_factory=dict)
    """Optimiser state and position in the data; empty in a released checkpoint."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write beside `path`, then rename: a crash or a full disk leaves the old file as it was.

    Raises WavestepError when the disk refuses.
    """
    data = {**vars(checkpoint), "format": FORMAT, "spec": checkpoint.spec.to_dict()}
    try:
        with atomic.replacing(path) as part, part.open("wb") as file:
            torch.save(data, file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        raise WavestepError(f"{path} cannot be written: {error}; the older one is kept") from error


def load(path: Path) -> Checkpoint:
    """Read a checkpoint on the CPU with `weights_only=True`: nothing in the file is ever run.

    Raises WavestepError for a file that is missing, truncated, changed, of another kind (a plain
    pickle) or of a newer format.
    """
    if not path.is_file():
        raise WavestepError(f"{path} does not exist; give a checkpoint that wn-train wrote")
    if not zipfile.is_zipfile(path):
        raise WavestepError(
            f"{path} is not a wavestep checkpoint (a plain pickle, truncated, or another file); "
            "it was not opened"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()  # compares every member with its CRC-32
        if broken is not None:
            raise WavestepError(f"{path} is damaged at {broken!r}; take another copy")
        data = torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0][:100]
        raise WavestepError(
            f"{path} is not a wavestep checkpoint, or is damaged ({reason}); no code in it was run"
        ) from error
    return _parse(path, data)


def _parse(path: Path, data: object) -> Checkpoint:
    version = data.pop("format", None) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(version, int):
        raise WavestepError(f"{path} is a PyTorch file, but not a wavestep checkpoint")
    if version != FORMAT:
        mend = "upgrade wavestep" if version > FORMAT else "train it again"
        raise WavestepError(f"{path} has format {version}, this version reads {FORMAT}; {mend}")
    try:
        spec = ModelSpec.from_dict(data.pop("spec"), f"{path}: spec")
        return Checkpoint(spec=spec, **data)
    except (KeyError, TypeError) as error:
        raise WavestepError(f"{path} lacks a part of a checkpoint: {error}") from error


def release(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint to share: averaged weights only, no optimiser."""
    parts = {**vars(checkpoint), "model": {}, "training": {}}
    return Checkpoint(**parts)
