"""Audio from a mel spectrum without a model: Griffin and Lim (1984), fast (Perraudin et al., 2013).

From the mel bands come magnitudes, by the pseudo-inverse of their filters; then phases, on which
overlapping windows agree more and more:

    c[n] = P(t[n-1]),  t[n] = c[n] + momentum * (c[n] - c[n-1])

P gives the magnitudes the phases of what the windows of t's audio are; that audio is the nearest to
t by least squares.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.features import Features
from wn_runtime.features.mel import Mel, filters
from wn_runtime.features.windows import windows

ITERATIONS, MOMENTUM = 60, 0.99

Wave = NDArray[np.float32]


def audio(
    mel: NDArray[np.float32], features: Features, samples: int, seed: int = 0
) -> NDArray[np.float32]:
    """Log mel frames (F, bands), as `features` has them, to a wave (samples,)."""
    measured = Mel(
        features.sample_rate,
        features.hop,
        features.window,
        features.mel,
        features.low_hz,
        features.high_hz,
    )
    inverse = np.linalg.pinv(filters(measured).astype(np.float64))
    wanted = np.maximum(np.exp(mel.astype(np.float64)) @ inverse.T, 0)
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, wanted.shape)
    spectrum = before = wanted * np.exp(1j * phases)
    for _ in range(ITERATIONS):
        found = _spectrum(_inverse(spectrum, features, samples), features)
        consistent = wanted * found / np.maximum(np.abs(found), 1e-12)
        spectrum, before = consistent + MOMENTUM * (consistent - before), consistent
    return np.clip(_inverse(before, features, samples), -1, 1).astype(np.float32)


def _shape(features: Features) -> NDArray[np.float64]:
    """The window that the mel spectrum was measured with."""
    return np.hanning(features.window + 1)[:-1]


def _spectrum(wave: NDArray[np.float64], features: Features) -> NDArray[np.complex128]:
    """A wave to (F, bins), frame i centred on the samples that it is of."""
    every = windows(wave.astype(np.float32), features.hop, features.window)
    return np.concatenate([np.fft.rfft(part * _shape(features)) for part in every])


def _inverse(
    spectrum: NDArray[np.complex128], features: Features, samples: int
) -> NDArray[np.float64]:
    """The wave whose windows lie nearest to these spectra, by least squares."""
    hop, width = features.hop, features.window
    before = width // 2 - hop // 2
    shape = _shape(features)
    parts = np.fft.irfft(spectrum, width) * shape
    wave = np.zeros(len(parts) * hop + width + before + samples)
    weight = np.zeros_like(wave)
    for number, part in enumerate(parts):
        at = slice(number * hop, number * hop + width)
        wave[at] += part
        weight[at] += shape**2
    return (wave / np.maximum(weight, 1e-3))[before : before + samples]
