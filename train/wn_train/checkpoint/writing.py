"""Writing a checkpoint: the older one is replaced by a whole one or stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wn_runtime import atomic
from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_train.checkpoint.content import FORMAT, Checkpoint

PROTOCOL = 2
"""Of pickle: the opcodes that `checkpoint.pickled` reads."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write beside `path`, then rename: a crash or a full disk leaves the old file as it was.

    Raises WavestepError when the disk refuses.
    """
    data = {**vars(checkpoint), "format": FORMAT, "spec": checkpoint.spec.to_dict()}
    speech = data.pop("speech")
    if speech is not None:
        data["speech"] = {**vars(speech), "spec": strict.plain(speech.spec)}
    try:
        with atomic.replacing(path) as part, part.open("wb") as file:
            torch.save(_dense(data), file, pickle_protocol=PROTOCOL)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        kept = "the older one is kept" if path.exists() else "nothing is left of it"
        raise WavestepError(f"{path} cannot be written: {_reason(error)}; {kept}") from error


def _reason(error: BaseException) -> str:
    """The disk's, where torch.save has put a complaint of its own over it."""
    beneath: BaseException | None = error
    while beneath is not None:
        if isinstance(beneath, OSError) and beneath.strerror:
            return beneath.strerror
        beneath = beneath.__context__
    return str(error).splitlines()[0]


def _dense(value: Any) -> Any:
    """The same with every tensor on the CPU, row by row in a storage of its own."""
    if isinstance(value, Tensor):
        dense = value.detach().cpu().contiguous()
        own = dense.untyped_storage().nbytes() == dense.numel() * dense.element_size()
        return dense if own else dense.clone()
    if isinstance(value, dict):
        return {key: _dense(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_dense(item) for item in value)
    return value
