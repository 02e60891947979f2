"""The checkpoints in a run's folder, which stands for the best of them where one is asked for."""

from __future__ import annotations

from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.model.manifest import MANIFEST, TRAINED

BEST, LAST = TRAINED


def checkpoint_of(path: Path) -> Path:
    """The best checkpoint where `path` is a run's folder, else `path` as it is.

    Raises WavestepError for a run that has none yet.
    """
    if (path / MANIFEST).exists():  # a model directory, whatever else lies in it
        return path
    if (path / BEST).is_file():
        return path / BEST
    if (path / LAST).is_file():
        raise WavestepError(
            f"{path} has no {BEST} yet (training was stopped before its first validation); give "
            f"{path / LAST}, or go on with wn-train DATA -o {path} --resume"
        )
    return path
