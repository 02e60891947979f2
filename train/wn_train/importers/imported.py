"""A model from elsewhere, made one of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights
from wn_train.importers.foreign_weights import ForeignWeights
from wn_train.importers.settings import Settings

Array = NDArray[np.float64]
ALIGNMENTS = ("generation", "training")
"""Which frames condition a sample: those that do when the original generates, or when it trains."""


@dataclass(frozen=True)
class Statistics:
    """What frames are normalised by before the original sees them."""

    mean: Array
    scale: Array
    """Deviations, (C,): frames are divided by them."""


@dataclass(frozen=True)
class Options:
    """What is asked of an importer, beside the file."""

    settings: Settings
    alignment: str = "generation"
    statistics: Statistics | None = None
    """Of the frames, where the model is to take them as they are extracted."""

    def normalisation(self, channels: int) -> tuple[Array, Array]:
        """Mean and factor of each channel. Raises WavestepError for statistics of others."""
        given = self.statistics
        if given is None:
            return np.zeros(channels), np.ones(channels)
        if len(given.mean) != channels:
            raise self.settings.wrong(
                f"--statistics are of {len(given.mean)} channels, the frames have {channels}"
            )
        return given.mean, 1 / given.scale


@dataclass(frozen=True)
class Imported:
    """What a file was, and what became of it."""

    project: str
    """`r9y9 (master)`."""
    spec: ModelSpec
    weights: Weights
    found: tuple[str, ...]
    """What was found, a line each."""
    columns: tuple[int, ...] | None = None
    """Which of the original's outputs ours are; None: all of them."""
    delayed: bool = False
    """Whether its frames come a sample later than the original's generation has them."""


@dataclass(frozen=True)
class Format:
    """A project's files."""

    name: str
    what: str
    """Its files, in words."""
    sections: tuple[str, ...]
    """Tables of its settings file whose keys count as the file's own."""
    recognises: Callable[[Mapping[str, object]], bool]
    """Whether a file's tensors, by name, are such a model's."""
    convert: Callable[[ForeignWeights, Options], Imported]
