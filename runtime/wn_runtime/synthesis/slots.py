"""What the slots of a stream are given: one value for all of them, or one each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from wn_runtime.arguments import real
from wn_runtime.engines.engine import Temperature
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.synthesis.uniforms import UniformStream


def temperatures_of(temperature: Temperature, streams: int) -> list[float]:
    """One for each stream. Raises WavestepError for one out of range, TypeError for no number."""
    if isinstance(temperature, (str, bytes)) or not np.iterable(temperature):
        each = [real("temperature", temperature)] * streams
    else:
        each = [real("temperature", one) for one in temperature]
    inverse_temperatures(np.array(each), streams)
    return each


def uniform_streams(seed: int | Sequence[int], slots: Sequence[int]) -> list[UniformStream]:
    """Stream b of one seed for slot b, or the first stream of each slot's own seed.

    Raises WavestepError where there are not as many seeds as slots.
    """
    if isinstance(seed, (int, str, bytes)) or not np.iterable(seed):
        return [UniformStream(cast(int, seed), slot) for slot in slots]
    seeds = list(seed)
    if len(seeds) != len(slots):
        raise WavestepError(
            f"seed has {len(seeds)} values for {len(slots)} streams; give one for all or one a "
            "stream"
        )
    return [UniformStream(each) for each in seeds]
