"""From what a user names to a model directory, or to a file in one."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.model.manifest import MANIFEST

CHECKPOINTS = (".pt", ".pth", ".ckpt")


def locate(path: Path) -> tuple[Path, str | None]:
    """A model directory and, where `path` names a file of one, that file's name.

    Raises WavestepError when nothing is there, for a checkpoint, and when no manifest lies
    beside the file.
    """
    try:
        if path.is_dir():
            return path, None
        beside, there = (path.parent / MANIFEST).exists(), path.exists()
    except (OSError, ValueError) as error:  # too long for a name, forbidden, a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(f"{path} cannot be opened: {reason}") from error
    if not there:
        if beside and path.suffix == ".plan":
            raise WavestepError(
                f"{path} does not exist; build it on this machine with wn-export {path.parent} "
                "--fp16"
            )
        raise WavestepError(f"{path} does not exist; give a model directory made by wn-export")
    if not beside and path.suffix in CHECKPOINTS:
        raise WavestepError(
            f"{path} is a training checkpoint; run `wn-export {path}` and give the directory it "
            f"writes (where another project trained it: first `wn-import {path} -o NAME.pt`)"
        )
    if not beside:
        raise WavestepError(
            f"{path} has no {MANIFEST} beside it; give a model directory that wn-export wrote, "
            "or a file in one"
        )
    return path.parent, path.name
