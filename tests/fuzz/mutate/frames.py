"""A .npy file of frames: another array in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.fuzz.mutate.npz import CHANGES


def array(path: Path, change: str) -> None:
    """Change the array as those of reference.npz are."""
    with np.errstate(all="ignore"):
        changed = CHANGES[change](np.load(path, allow_pickle=False))
    with path.open("wb") as file:
        np.save(file, changed, allow_pickle=True)
