"""A head that the product does not have, whole in one file: amplitudes under Student's t.

t with two degrees of freedom, whose distribution function has an inverse without exponentials:
F(y) = (1 + y / sqrt(1 + y²)) / 2 and p(y) = (1 + y²)^(-3/2) / 2, with y = (x - m) / s. Its params
are m and r, s = 0.01 + r². Samples lie on the grid of 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.heads.head import Draw, Head, Samples

GRID = 32768.0

C_SOURCE = """
typedef float sample;

static sample draw(float *params, const int32_t *uniforms, float inverse_temperature) {
    const int32_t m = 2 * (uniforms[0] & 0xffffff) + 1; /* the middle of the uniform's interval */
    float x = params[0];
    if (inverse_temperature != 0) {
        const float scale = (0.01f + params[1] * params[1]) / inverse_temperature;
        const float y = (float)(m - 16777216) / __builtin_sqrtf((float)(33554432 - m) * (float)m);
        x += scale * y;
    }
    x = x < -1 ? -1 : x > 1 ? 1 : x;
    return (x * 32768.0f + 12582912.0f - 12582912.0f) / 32768.0f; /* rounded, ties to even */
}
"""

CUDA_SOURCE = """
typedef float Sample;

static __device__ Sample draw(const float *params, int channels, float inverse_temperature,
                              const int *uniforms) {
    const int m = 2 * (uniforms[0] & 0xffffff) + 1;
    float x = params[0];
    if (inverse_temperature != 0) {
        const float scale = (0.01f + params[1] * params[1]) / inverse_temperature;
        x += scale * ((float)(m - 16777216) / sqrtf((float)(33554432 - m) * (float)m));
    }
    x = x < -1 ? -1 : x > 1 ? 1 : x;
    return rintf(x * 32768.0f) / 32768.0f;
}
"""


@dataclass(frozen=True)
class StudentT(Head):
    kind: ClassVar[str] = "toy-student-t"
    sample_dtype: ClassVar[np.dtype[Any]] = np.dtype(np.float32)

    @property
    def params(self) -> int:
        return 2

    @property
    def input_channels(self) -> int:
        return 1

    @property
    def silence(self) -> float:
        return 0.0

    def encode(self, audio: NDArray[np.floating[Any]]) -> Samples:
        clipped = np.clip(np.asarray(audio, np.float64), -1, 1)
        return (np.rint(clipped * GRID) / GRID).astype(np.float32)

    def decode(self, samples: Samples) -> NDArray[np.float32]:
        return samples.astype(np.float32)

    def drawer(self, params: NDArray[np.float32], inverse_temperature: NDArray[np.float32]) -> Draw:
        warm = inverse_temperature > 0
        factor = np.where(warm, 1 / np.where(warm, inverse_temperature, 1), 0).astype(np.float32)

        def draw(uniforms: NDArray[np.int32], out: NDArray[Any]) -> None:
            m = 2 * uniforms[:, 0] + 1
            root = np.sqrt((2**25 - m).astype(np.float32) * m.astype(np.float32))
            y = (m - 2**24).astype(np.float32) / root
            scale = (np.float32(0.01) + params[:, 1] ** 2) * factor
            x = np.clip(params[:, 0] + scale * y, -1, 1)
            out[:] = np.rint(x * np.float32(GRID)) / np.float32(GRID)

        return draw

    def bits(self, params: NDArray[np.float32], samples: Samples) -> NDArray[np.float32]:
        wide = params.astype(np.float64)
        scale = 0.01 + wide[..., 1] ** 2
        y = (samples - wide[..., 0]) / scale
        density = 0.5 * (1 + y**2) ** -1.5 / scale
        return (-np.log2(density / GRID)).astype(np.float32)

    def margin(
        self, params: NDArray[np.float32], uniforms: NDArray[np.int32], one: Any, other: Any
    ) -> float:
        """Steps of the grid between the two."""
        return float(abs(one - other) * GRID)

    def float_error(self, params_error: float) -> float:
        return 1 + 40 * GRID * params_error

    def source(self, suffix: str) -> str | None:
        return {".h": C_SOURCE, ".cuh": CUDA_SOURCE}.get(suffix)


def nll(head: Head, params: Tensor, samples: Tensor) -> Tensor:
    """(B, T) nats."""
    scale = 0.01 + params[..., 1] ** 2
    y = (samples - params[..., 0]) / scale
    return torch.log(2 * scale * GRID) + 1.5 * torch.log1p(y**2)
