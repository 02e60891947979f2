"""What the weights of stretched frames are called, and how a frame says that the clip is over."""

from __future__ import annotations

import numpy as np

from wn_runtime.conditioning.numbered import numbered

END = float(np.finfo(np.float32).max)
"""What a frame holds that is beyond the clip's last; finite, as frames are checked to be."""
ENDED = 1e38
"""A first channel from here on is END's: in the graph, where nothing compares, 1e38 - x tells."""
_PREFIX = "condition.stretched."
MEAN, SCALE, WEIGHT = f"{_PREFIX}mean", f"{_PREFIX}scale", f"{_PREFIX}weight"
CONV = f"{_PREFIX}conv.weight"


def stage_names(index: int) -> tuple[str, str]:
    """The canonical names of a stage's kernel and bias."""
    return numbered(_PREFIX, index)
