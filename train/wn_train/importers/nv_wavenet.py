"""NVIDIA/nv-wavenet: the module of its pytorch/wavenet.py, as train.py pickles it.

Two taps, residual scale 1, no biases in the head. Its conditioning network is linear: a transposed
convolution of the frames, whose bias goes into the gates', then a projection for each layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wn_runtime.conditioning import frames
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec
from wn_train.importers.canonical import arrays, oldest_last
from wn_train.importers.foreign_weights import ANY, ForeignWeights
from wn_train.importers.imported import Array, Format, Imported, Options
from wn_train.importers.settings import Settings

RATE = 16_000
"""Hz: what its inference.py writes, whatever the settings."""


@dataclass(frozen=True)
class Config:
    """Those of its config.json that say what the model is; what the module keeps wins."""

    sampling_rate: int = RATE
    n_layers: int = 0
    max_dilation: int = 0
    n_residual_channels: int = 0
    n_skip_channels: int = 0
    n_out_channels: int = 0
    n_cond_channels: int = 0
    upsamp_window: int = 0
    upsamp_stride: int = 0


def recognises(tensors: Mapping[str, object]) -> bool:
    """Whether these are such a model's."""
    return "embed.weight" in tensors and "conv_end.conv.weight" in tensors


def convert(weights: ForeignWeights, options: Options) -> Imported:
    """The model. Raises WavestepError for what it has not, and for settings that are not its."""
    settings = options.settings
    config = settings.parsed(Config)
    layers = weights.count("dilate_layers.{}.conv")
    classes, r = weights.shape("embed")
    skip, out = weights.shape("skip_layers.0.conv")[0], weights.shape("conv_end.conv")[0]
    settings.agree(
        {
            "n_layers": (config.n_layers, layers),
            "n_residual_channels": (config.n_residual_channels, r),
            "n_skip_channels": (config.n_skip_channels, skip),
            "n_out_channels": (config.n_out_channels, out),
        },
    )
    most = _known(weights, "max_dilation", config.max_dilation, settings)
    stride = _known(weights, "upsample.stride", config.upsamp_stride, settings)
    local, table = _conditioning(weights, options, layers, r, stride)
    spec = ModelSpec(
        sample_rate=config.sampling_rate,
        dilations=tuple(1 << (layer % most.bit_length()) for layer in range(layers)),
        kernel=2,
        residual_channels=r,
        gate_channels=2 * r,
        skip_channels=skip,
        head_channels=out,
        output=Softmax(classes),
        conditioning=(local,),
    )
    offset = table.pop("gate.bias")
    network = _network(weights, spec)
    network["gate.bias"] = network["gate.bias"] + offset
    weights.finish()
    window = weights.shape("upsample")[2]
    rate = "as its inference.py writes" if config.sampling_rate == RATE else "as the settings say"
    return Imported(
        "nv-wavenet",
        spec,
        arrays(network | table),
        (
            f"{config.sampling_rate} Hz, {rate}",
            f"frames through a transposed convolution, window {window}, stride {stride}",
        ),
        delayed=options.alignment == "training",
    )


FORMAT = Format(
    "nv-wavenet",
    "a checkpoint of nv-wavenet's pytorch/train.py",
    ("data_config", "wavenet_config"),
    recognises,
    convert,
)


def _known(weights: ForeignWeights, name: str, said: int, settings: Settings) -> int:
    """A number that the module keeps, or else the settings have."""
    kept: Any = weights.attributes.get(name)
    kept = kept[0] if isinstance(kept, tuple) and kept else kept
    found = kept if type(kept) is int else said
    setting = {"upsample.stride": "upsamp_stride"}.get(name, name)
    if not found:
        raise settings.missing(setting, "the file's module does not keep it")
    if said not in (0, found) or not 1 <= found <= 2**24:
        raise settings.wrong(f"{setting} is {said}, the file has {found}; give its own settings")
    return found


def _network(weights: ForeignWeights, spec: ModelSpec) -> dict[str, Array]:
    """The canonical weights but for the conditioning."""
    r, s, a, layers = spec.residual_channels, spec.skip_channels, spec.head_channels, spec.layers
    classes = spec.output.params
    res = [weights.weight(f"res_layers.{i}.conv", r, r, 1)[:, :, 0].T for i in range(layers - 1)]
    res_bias = [weights.bias(f"res_layers.{i}.conv", r) for i in range(layers - 1)]
    gates = [weights.weight(f"dilate_layers.{i}.conv", 2 * r, r, 2) for i in range(layers)]
    skips = [weights.weight(f"skip_layers.{i}.conv", s, r, 1)[:, :, 0].T for i in range(layers)]
    return {
        "input.weight": weights.weight("embed", classes, r)[None],
        "input.bias": np.zeros(r),
        "gate.weight": np.stack([oldest_last(w) for w in gates]),
        "gate.bias": np.stack(
            [weights.bias(f"dilate_layers.{i}.conv", 2 * r) for i in range(layers)]
        ),
        "residual.weight": np.stack([*res, np.zeros((r, r))]),
        "residual.bias": np.stack([*res_bias, np.zeros(r)]),
        "skip.weight": np.stack(skips),
        "skip.bias": np.sum([weights.bias(f"skip_layers.{i}.conv", s) for i in range(layers)], 0),
        "head.0.weight": weights.weight("conv_out.conv", a, s, 1)[:, :, 0].T,
        "head.0.bias": np.zeros(a),
        "head.1.weight": weights.weight("conv_end.conv", classes, a, 1)[:, :, 0].T,
        "head.1.bias": np.zeros(classes),
    }


def _conditioning(
    weights: ForeignWeights, options: Options, layers: int, r: int, stride: int
) -> tuple[LocalFrames, dict[str, Array]]:
    """The conditioner, its weights, and as `gate.bias` what it adds to the gates' bias."""
    channels = weights.shape("upsample")[0]
    kernel = weights.weight("upsample", channels, channels, ANY)  # (in, out, window)
    if options.alignment == "training":  # everything a sample later
        kernel = np.concatenate([np.zeros((channels, channels, 1)), kernel], axis=2)
    taps = -(-kernel.shape[2] // stride)
    whole = np.zeros((channels, channels, taps * stride))
    whole[:, :, : kernel.shape[2]] = kernel
    project = weights.weight("cond_layers.conv", 2 * r * layers, channels, 1)[:, :, 0]
    v = project.T.reshape(channels, layers, 2 * r)
    offset = weights.bias("cond_layers.conv", 2 * r * layers).reshape(layers, 2 * r)
    offset = offset + np.einsum("c,clg->lg", weights.bias("upsample", channels), v)
    mean, scale = options.normalisation(channels)
    spec = LocalFrames(
        channels=channels,
        hop=stride,
        hidden=channels,
        kernels=(),
        upsampling="transposed",
        hold=1,
        taps=taps,
    )
    return spec, {
        frames.MEAN: mean,
        frames.SCALE: scale,
        frames.UPSAMPLING: whole.transpose(2, 0, 1),
        frames.WEIGHT: v,
        "gate.bias": offset,
    }
