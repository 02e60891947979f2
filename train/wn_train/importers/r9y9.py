"""r9y9/wavenet_vocoder: master, and 0.1.1 with its older names.

Its equation is ours with constants folded in: the residual's sqrt(1/2) is `residual_scale`, and
what scales the sum of the skips goes into their weights. Tap 0 of its convolutions is the oldest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import Condition, ConditionerSpec
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.mixture import LOG_SCALES
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.postprocess import Postprocess
from wn_runtime.model.spec import ModelSpec
from wn_train.importers import r9y9_frames
from wn_train.importers.canonical import arrays, embedded, oldest_last
from wn_train.importers.foreign_weights import ANY, ForeignWeights
from wn_train.importers.imported import Array, Format, Imported, Options
from wn_train.importers.settings import Settings

DEEMPHASIS = 0.85
"""The coefficient in its audio.py, which no setting has."""
INPUTS = ("raw", "mulaw", "mulaw-quantize")
DISTRIBUTIONS = ("Logistic", "Normal")


@dataclass(frozen=True)
class Hparams:
    """Those of its hparams.json that say what the model is."""

    sample_rate: int = 0
    input_type: str = ""
    quantize_channels: int = 0
    out_channels: int = 0
    layers: int = 0
    stacks: int = 0
    residual_channels: int = 0
    gate_channels: int = 0
    skip_out_channels: int = 0
    kernel_size: int = 0
    cin_channels: int = -1
    gin_channels: int = -1
    n_speakers: int = 0
    output_distribution: str = "Logistic"
    log_scale_min: float = LOG_SCALES[0]
    legacy: bool | None = None
    postprocess: str = ""
    global_gain_scale: float = 1.0
    hop_size: int = 0
    cin_pad: int = -1
    upsample_conditional_features: bool = False
    upsample_scales: tuple[int, ...] = ()
    upsample_params: dict[str, Any] = field(default_factory=dict)


def recognises(tensors: Mapping[str, object]) -> bool:
    """Whether these are such a model's."""
    return "first_conv.bias" in tensors and any(n.startswith("last_conv_layers.") for n in tensors)


def convert(weights: ForeignWeights, options: Options) -> Imported:
    """The model. Raises WavestepError for what it has not, and for settings that are not its."""
    settings = options.settings
    hparams = settings.parsed(Hparams)
    layers = weights.count("conv_layers.{}.conv")
    _check_known(settings, hparams)
    old = _is_old(weights, settings, hparams)
    gate, residual, kernel = weights.shape("conv_layers.0.conv")
    skip, classes = weights.shape("last_conv_layers.1")[0], weights.shape("last_conv_layers.3")[0]
    settings.agree(
        {
            "layers": (hparams.layers, layers),
            "residual_channels": (hparams.residual_channels, residual),
            "gate_channels": (hparams.gate_channels, gate),
            "skip_out_channels": (hparams.skip_out_channels, skip),
            "out_channels": (hparams.out_channels, classes),
            "kernel_size": (hparams.kernel_size, kernel),
        },
    )
    if hparams.stacks < 1 or layers % hparams.stacks:
        raise settings.wrong(f"stacks is {hparams.stacks}; it must divide {layers} layers")
    cycle = layers // hparams.stacks
    scalar = weights.shape("first_conv")[1] == 1
    head, columns = _head(settings, hparams, classes, scalar, old)
    conditioning, own, offset, found, delayed = _conditioning(weights, options, hparams, gate)
    spec = ModelSpec(
        sample_rate=hparams.sample_rate,
        dilations=tuple(1 << (layer % cycle) for layer in range(layers)),
        kernel=kernel,
        residual_channels=residual,
        gate_channels=gate,
        skip_channels=skip,
        head_channels=skip,
        residual_scale=math.sqrt(0.5),
        output=head,
        conditioning=conditioning,
        postprocess=_postprocess(settings, hparams),
    )
    legacy = hparams.legacy if old else None
    scales = _skip_scales(layers, legacy)
    table = _network(weights, spec, classes, scales) | own
    table["gate.bias"] = table["gate.bias"] + offset
    if columns is not None:
        for name in ("head.1.weight", "head.1.bias"):
            table[name] = table[name][..., list(columns)]
    weights.finish()
    skips = {None: "sqrt(1/layers)", True: "sqrt(1/2) after each layer (legacy)", False: "1"}
    return Imported(
        f"r9y9/wavenet_vocoder ({'0.1.1' if old else 'master'})",
        spec,
        arrays(table),
        (
            f"input {hparams.input_type}, {'amplitudes' if scalar else 'one-hot'}; skips scaled by "
            f"{skips[legacy]}",
            *found,
        ),
        columns,
        delayed,
    )


FORMAT = Format("r9y9", "a .pth of r9y9/wavenet_vocoder, master or 0.1.1", (), recognises, convert)


def _check_known(settings: Settings, hparams: Hparams) -> None:
    """Whether what the file itself does not say is said."""
    for name, why in (
        ("stacks", "the file does not say how dilations repeat"),
        ("sample_rate", "the file does not say it"),
        ("input_type", f"one of {', '.join(INPUTS)}"),
    ):
        if not getattr(hparams, name):
            raise settings.missing(name, why)
    for name, known in (("input_type", INPUTS), ("output_distribution", DISTRIBUTIONS)):
        if getattr(hparams, name) not in known:
            raise settings.wrong(
                f"{name} is {getattr(hparams, name)!r:.40}; it must be {' or '.join(known)}"
            )


def _is_old(weights: ForeignWeights, settings: Settings, hparams: Hparams) -> bool:
    """Whether it is of 0.1.1: by its names, or, where both have the same, by a setting of its."""
    named = any(
        name.startswith("upsample_conv.") or name.endswith(("conv1x1c.bias", "conv1x1g.bias"))
        for name in weights.names
    )
    if named and hparams.legacy is None:
        raise settings.missing("legacy", "true or false: how 0.1.1 scaled the sum of the skips")
    return named or (
        hparams.legacy is not None and not any(n.startswith("upsample_net.") for n in weights.names)
    )


def _head(
    settings: Settings, hparams: Hparams, classes: int, scalar: bool, old: bool
) -> tuple[Head, tuple[int, ...] | None]:
    """What its outputs mean, and which of them ours are."""
    if scalar == (hparams.input_type == "mulaw-quantize"):
        raise settings.wrong(
            f"input_type is {hparams.input_type}, the file's model takes "
            f"{'amplitudes' if scalar else f'{classes} classes'}"
        )
    if not scalar:
        if hparams.quantize_channels not in (0, classes):
            raise settings.wrong(
                f"quantize_channels is {hparams.quantize_channels}, the file has {classes} classes"
            )
        return Softmax(classes, "mu-law-floor"), None
    companded = hparams.input_type == "mulaw"
    if companded and not hparams.quantize_channels:
        raise settings.missing("quantize_channels", "mu + 1 of its mu-law")
    normal = hparams.output_distribution == "Normal"
    if classes % 3 and not (normal and classes == 2):
        raise settings.wrong(
            f"output_distribution is {hparams.output_distribution}, of which the file's {classes} "
            "output channels are no mixture"
        )
    # Since 2019-09-02 it draws from log scales as they are; 0.1.1 clamps them.
    least = max(LOG_SCALES[0], min(0.0, hparams.log_scale_min)) if old else LOG_SCALES[0]
    components = max(1, classes // 3)
    mu = hparams.quantize_channels - 1 if companded else 0
    head = Gaussian(components, least, mu) if normal else Logistic(components, least, mu)
    return head, (1, 2) if classes == 3 else None  # the logit of one component says nothing


def _postprocess(settings: Settings, hparams: Hparams) -> Postprocess:
    filters = {"": 0.0, "none": 0.0, "inv_preemphasis": DEEMPHASIS}
    if hparams.postprocess not in filters:
        raise settings.wrong(
            f"postprocess is {hparams.postprocess!r:.40}; known are inv_preemphasis and none"
        )
    scale = hparams.global_gain_scale
    gain = 1 / scale if scale > 0 else 1.0
    try:
        return Postprocess(filters[hparams.postprocess], gain)
    except ValueError as error:
        raise settings.wrong(f"global_gain_scale is {scale}: {error}") from error


def _skip_scales(layers: int, legacy: bool | None) -> Array:
    """What each layer's skip is multiplied by in their sum; None: as on master."""
    if legacy is None:
        return np.full(layers, math.sqrt(1 / layers))
    if not legacy:
        return np.ones(layers)
    after = np.array([layers - 1, *range(layers - 1, 0, -1)], np.float64)
    return 0.5 ** (after / 2)


def _network(
    weights: ForeignWeights, spec: ModelSpec, classes: int, scales: Array
) -> dict[str, Array]:
    """The canonical weights but for the conditioning."""
    r, g, s, k = spec.residual_channels, spec.gate_channels, spec.skip_channels, spec.kernel
    rows = spec.output.input_channels
    first = weights.weight("first_conv", r, rows, 1)
    layers = range(spec.layers)
    gates = [weights.weight(f"conv_layers.{i}.conv", g, r, k) for i in layers]
    out = [weights.weight(f"conv_layers.{i}.conv1x1_out", r, g // 2, 1) for i in layers]
    out_bias = [weights.bias(f"conv_layers.{i}.conv1x1_out", r) for i in layers]
    skips = [weights.weight(f"conv_layers.{i}.conv1x1_skip", s, g // 2, 1) for i in layers]
    skip_bias = [weights.bias(f"conv_layers.{i}.conv1x1_skip", s) for i in layers]
    out[-1], out_bias[-1] = np.zeros_like(out[-1]), np.zeros_like(out_bias[-1])  # nobody uses it
    return {
        "input.weight": first.transpose(2, 1, 0),
        "input.bias": weights.bias("first_conv", r),
        "gate.weight": np.stack([oldest_last(w) for w in gates]),
        "gate.bias": np.stack([weights.bias(f"conv_layers.{i}.conv", g) for i in layers]),
        "residual.weight": np.stack([w[:, :, 0].T for w in out]),
        "residual.bias": np.stack(out_bias),
        "skip.weight": np.stack([w[:, :, 0].T * f for w, f in zip(skips, scales, strict=True)]),
        "skip.bias": np.sum([b * f for b, f in zip(skip_bias, scales, strict=True)], axis=0),
        "head.0.weight": weights.weight("last_conv_layers.1", s, s, 1)[:, :, 0].T,
        "head.0.bias": weights.bias("last_conv_layers.1", s),
        "head.1.weight": weights.weight("last_conv_layers.3", classes, s, 1)[:, :, 0].T,
        "head.1.bias": weights.bias("last_conv_layers.3", classes),
    }


def _conditioning(
    weights: ForeignWeights, options: Options, hparams: Hparams, gate: int
) -> tuple[tuple[ConditionerSpec, ...], dict[str, Array], Array, list[str], bool]:
    """Conditioners, their weights, what they add to the gates' bias [L, G], and words on them.

    And whether frames come a sample later than in generation.
    """
    layers = range(weights.count("conv_layers.{}.conv"))
    parts: list[ConditionerSpec] = []
    table: dict[str, Array] = {}
    offset, found = np.zeros((len(layers), gate)), []
    if weights.has("conv_layers.0.conv1x1g"):
        each = [weights.weight(f"conv_layers.{i}.conv1x1g", gate, ANY, 1) for i in layers]
        offset += [weights.bias(f"conv_layers.{i}.conv1x1g", gate) for i in layers]
        projection = np.stack([w[:, :, 0].T for w in each], axis=1)  # [gin, L, G]
        part, rows = embedded(weights, "embed_speakers.weight", projection)
        if hparams.n_speakers and len(rows) != hparams.n_speakers and part.kind == "categorical":
            raise options.settings.wrong(
                f"n_speakers is {hparams.n_speakers}, the file has {len(rows)}"
            )
        parts.append(GlobalConditions((part,)))
        table[f"condition.{part.name}.weight"] = rows
        found.append(_of_condition(part))
    delayed = False
    if weights.has("conv_layers.0.conv1x1c"):
        each = [weights.weight(f"conv_layers.{i}.conv1x1c", gate, ANY, 1) for i in layers]
        offset += [weights.bias(f"conv_layers.{i}.conv1x1c", gate) for i in layers]
        v = np.stack([w[:, :, 0].T for w in each], axis=1)  # [C, L, G]
        network = r9y9_frames.Given(
            hop=hparams.hop_size,
            scales=hparams.upsample_scales,
            stretches=hparams.upsample_conditional_features,
            pad=hparams.cin_pad,
            params=hparams.upsample_params,
        )
        local, own, words = r9y9_frames.convert(weights, options, network, v)
        parts.append(local)
        table |= own
        found.append(words)
        delayed = options.alignment == "training"
    elif options.statistics is not None:
        raise options.settings.wrong("the file's model takes no frames; leave --statistics out")
    return tuple(parts), table, offset, found, delayed


def _of_condition(condition: Condition) -> str:
    if condition.kind == "tags":
        return f"condition {condition.name}: {len(condition.values)} numbers, each 0 or 1"
    return f"condition {condition.name}: {len(condition.values)} values, by index"
