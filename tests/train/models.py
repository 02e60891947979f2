"""Small WaveNets in PyTorch, whose every parameter is away from where training begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from wn_runtime.heads.head import Samples
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec
from wn_train.network.wavenet import WaveNet


@dataclass(frozen=True)
class Amplitudes(Softmax):
    """A head whose samples are amplitudes, as far as the network and the data can tell."""

    sample_dtype: ClassVar[np.dtype[Any]] = np.dtype(np.float32)

    @property
    def input_channels(self) -> int:
        return 1

    @property
    def silence(self) -> int:
        return 0

    def encode(self, audio: NDArray[np.floating[Any]]) -> Samples:
        return audio.astype(np.float32)


def random_model(spec: ModelSpec, weight_norm: bool = False, seed: int = 0) -> WaveNet:
    """What begins at zero would hide faults: a bias, a condition's table."""
    torch.manual_seed(seed)
    model = WaveNet(spec, weight_norm)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model
