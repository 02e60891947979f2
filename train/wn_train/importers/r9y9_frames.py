"""r9y9's upsampling networks as conditioners of ours.

    master  ConvInUpsampleNetwork    a convolution of 2·cin_pad+1 frames, then stages
            UpsampleNetwork          stages over the clip with cin_pad copies of its ends
            a stage                  nearest-neighbour stretch by s, convolution of 2s+1 rows
    0.1.1   upsample_conv            a transposed convolution of stride and width s, then relu
    neither                          frames repeated

Trained, its model at x[t] sees the frames of t and predicts x[t+1]; generating, it sees those of t
and makes x[t]. Ours at t are what conditions x[t]: as in generation, or a sample later, which
becomes one row more that the last stage sees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wn_runtime.conditioning import frames, stretched_weights
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.model import strict
from wn_train.importers.foreign_weights import ANY, ForeignWeights
from wn_train.importers.imported import Array, Options
from wn_train.importers.settings import Settings

LONGEST_HOP = 65536
"""Samples of a frame."""


@dataclass(frozen=True)
class Given:
    """What hparams say of it."""

    hop: int
    scales: tuple[int, ...]
    """Of 0.1.1."""
    stretches: bool
    pad: int
    """cin_pad; -1: they do not say."""
    params: Mapping[str, Any]
    """upsample_params, of master."""


@dataclass(frozen=True)
class Params:
    """Those of upsample_params that say what the network is."""

    upsample_activation: str = "none"
    upsample_activation_params: dict[str, Any] | None = None
    upsample_scales: tuple[int, ...] = ()
    mode: str = "nearest"
    cin_pad: int = 0


@dataclass(frozen=True)
class Stages:
    """Kernels of stages, [taps, s, frequency] each, their biases, and how far each sees."""

    kernels: list[Array]
    biases: list[Array]
    back: list[int]
    ahead: list[int]
    slope: float


def convert(
    weights: ForeignWeights, options: Options, given: Given, v: Array
) -> tuple[LocalFrames | StretchedFrames, dict[str, Array], str]:
    """The conditioner of frames that go through V [C, L, G], its weights, and words on it."""
    settings, channels = options.settings, len(v)
    delayed = options.alignment == "training"
    conv = np.eye(channels)[None]
    context = margin = 0
    said: tuple[int, ...] = ()
    if weights.has("upsample_conv.0"):
        stages, words = _transposed(weights), "0.1.1's transposed convolutions"
        said = given.scales
    elif any(name.startswith("upsample_net.") for name in weights.names):
        params = _params(settings, given)
        said = params.upsample_scales
        pad = given.pad if given.pad >= 0 else params.cin_pad
        if weights.has("upsample_net.conv_in"):
            context, words = pad, "ConvInUpsampleNetwork"
            width = 2 * pad + 1
            conv = weights.weight("upsample_net.conv_in", channels, channels, width)
            conv = conv.transpose(2, 1, 0)
            stages = _stretching(weights, "upsample_net.upsample.up_layers", params, settings)
        else:
            margin, words = pad, "UpsampleNetwork"
            stages = _stretching(weights, "upsample_net.up_layers", params, settings)
    else:
        if given.stretches:
            raise settings.wrong("upsample_conditional_features is true, the file has no network")
        if not given.hop:
            raise settings.missing("hop_size", "the file does not say how long a frame is")
        if not 1 <= given.hop <= LONGEST_HOP:
            raise settings.wrong(f"hop_size is {given.hop}; it must be 1 to {LONGEST_HOP}")
        if not delayed:
            return (*_repeated(options, given.hop, v), "frames repeated")
        words = "frames repeated"
        stages = Stages([np.ones((1, given.hop, 1))], [np.zeros(1)], [0], [0], 1.0)
    scales = [kernel.shape[1] for kernel in stages.kernels]
    if said and list(said) != scales:
        raise settings.wrong(f"upsample_scales are {said!s:.60}, the file's stages {scales}")
    if given.hop > 0 and math.prod(scales) != given.hop:
        raise settings.wrong(
            f"hop_size is {given.hop}, the file's stages {scales} stretch by {math.prod(scales)}"
        )
    if delayed:
        stages = _a_sample_later(stages)
    spec = StretchedFrames(
        channels=channels,
        scales=tuple(scales),
        back=tuple(stages.back),
        ahead=tuple(stages.ahead),
        context=context,
        margin=margin,
        frequency=stages.kernels[0].shape[2],
        slope=stages.slope,
    )
    mean, scale = options.normalisation(channels)
    table = {
        stretched_weights.MEAN: mean,
        stretched_weights.SCALE: scale,
        stretched_weights.CONV: conv,
    }
    for i, (kernel, bias) in enumerate(zip(stages.kernels, stages.biases, strict=True)):
        table |= dict(zip(stretched_weights.stage_names(i), (kernel, bias), strict=True))
    table[stretched_weights.WEIGHT] = v
    return spec, table, f"{words}, stages {' '.join(map(str, scales))}"


def _repeated(options: Options, hop: int, v: Array) -> tuple[LocalFrames, dict[str, Array]]:
    channels = len(v)
    spec = LocalFrames(channels, hop, channels, (), False, "repeat", hop)
    mean, scale = options.normalisation(channels)
    return spec, {frames.MEAN: mean, frames.SCALE: scale, frames.WEIGHT: v}


def _params(settings: Settings, given: Given) -> Params:
    known = {name: given.params[name] for name in Params.__annotations__ if name in given.params}
    params = strict.parse(Params, known, f"{settings.where}: upsample_params")
    if params.mode != "nearest":
        raise settings.wrong(f"upsample_params: mode is {params.mode!r:.40}; known is nearest")
    return params


def _slope(settings: Settings, params: Params) -> float:
    name, given = params.upsample_activation, params.upsample_activation_params or {}
    slopes = {"none": 1.0, "ReLU": 0.0, "LeakyReLU": given.get("negative_slope", 0.01)}
    slope = slopes.get(name)
    if not isinstance(slope, (int, float)) or not 0 <= slope <= 1:
        raise settings.wrong(
            f"upsample_params: upsample_activation is {name!r:.40}; known are none, ReLU and "
            "LeakyReLU with a negative_slope of 0 to 1"
        )
    return float(slope)


def _stretching(weights: ForeignWeights, at: str, params: Params, settings: Settings) -> Stages:
    """Master's stages: a stretch by s and a convolution of 2s+1 rows see the row, and those beside.

    Of row i, phase p: tap m of the convolution lies on sample i·s + p + m - s of the stretched
    signal, which is row i + (p + m - s) // s.
    """
    slope, step = _slope(settings, params), 2 if params.upsample_activation == "none" else 3
    kernels: list[Array] = []
    while weights.has(layer := f"{at}.{1 + step * len(kernels)}"):
        w = weights.weight(layer, 1, 1, ANY, ANY)[0, 0]  # (frequency, 2s+1)
        scale = w.shape[1] // 2
        if w.shape[1] % 2 == 0 or not scale or w.shape[0] % 2 == 0:
            raise settings.wrong(f"{layer}.weight is {list(w.shape)}, no stage of odd sizes")
        kernel = np.zeros((3, scale, w.shape[0]))
        for p in range(scale):
            for row, taps in enumerate(np.split(w, [scale - p, 2 * scale - p], axis=1)):
                kernel[row, p] = taps.sum(axis=1)
        kernels.append(kernel)
    if not kernels:
        raise settings.wrong(f"the file has no {at}.1.weight; is upsample_activation another?")
    count = len(kernels)
    return Stages(kernels, [np.zeros(1)] * count, [1] * count, [1] * count, slope)


def _transposed(weights: ForeignWeights) -> Stages:
    """0.1.1's stages: each row alone makes s rows."""
    kernels: list[Array] = []
    biases: list[Array] = []
    while weights.has(layer := f"upsample_conv.{2 * len(kernels)}"):
        w = weights.weight(layer, 1, 1, ANY, ANY)[0, 0]  # (frequency, s), transposed: mirrored
        kernels.append(w[::-1].T[None])
        biases.append(weights.bias(layer, 1))
    zeros = [0] * len(kernels)
    return Stages(kernels, biases, zeros, zeros, 0.0)


def _a_sample_later(stages: Stages) -> Stages:
    """The same, its rows one sample later: a row's first phase is the row before's last."""
    last = stages.kernels[-1]
    taps, scale, frequency = last.shape
    later = np.zeros((taps + 1, scale, frequency))
    later[1:, 1:] = last[:, :-1]
    later[:-1, 0] = last[:, -1]
    back = [*stages.back[:-1], stages.back[-1] + 1]
    return Stages([*stages.kernels[:-1], later], stages.biases, back, stages.ahead, stages.slope)
