"""ibab/tensorflow-wavenet: its variables, as docs/importing.md makes an .npz of them.

Tap 0 is the oldest; nothing is scaled; the first layer has no bias. Where it takes amplitudes
(scalar_input) it predicts classes all the same: a stream feeds back the amplitude of the class that
it drew, so the filter becomes a row for each class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import ConditionerSpec
from wn_runtime.heads import mulaw
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec
from wn_train.importers.canonical import arrays, embedded
from wn_train.importers.foreign_weights import ANY, ForeignWeights
from wn_train.importers.imported import Array, Format, Imported, Options

PREFIX = "wavenet/"
_SLOTS = ("Adam", "Adam_1", "Momentum", "RMSProp", "RMSProp_1", "ExponentialMovingAverage")
"""What optimisers keep beside each variable."""


@dataclass(frozen=True)
class Params:
    """Those of its wavenet_params.json that say what the model is."""

    sample_rate: int = 0
    dilations: tuple[int, ...] = ()
    filter_width: int = 0
    residual_channels: int = 0
    dilation_channels: int = 0
    skip_channels: int = 0
    quantization_channels: int = 0
    scalar_input: bool | None = None


def variable(name: str) -> str | None:
    """A variable's name within the model; None for what is none of its: a step, an optimiser's."""
    name = name.removesuffix(":0")
    if name.rpartition("/")[2] in _SLOTS or not name.startswith(PREFIX):
        return None
    return name.removeprefix(PREFIX)


def recognises(tensors: Mapping[str, object]) -> bool:
    """Whether these are such a model's."""
    return "causal_layer/filter" in tensors and "postprocessing/postprocess2" in tensors


def convert(weights: ForeignWeights, options: Options) -> Imported:
    """The model. Raises WavestepError for what it has not, and for settings that are not its."""
    settings = options.settings
    params = settings.parsed(Params)
    layers = _layers(weights)
    for name, why in (("dilations", "the file does not say them"), ("sample_rate", "nor this")):
        if not getattr(params, name):
            raise settings.missing(name, why)
    if options.statistics is not None:
        raise settings.wrong("the file's model takes no frames; leave --statistics out")
    if len(params.dilations) != layers:
        raise settings.wrong(f"there are {len(params.dilations)} dilations for {layers} layers")
    first = weights.tensor("causal_layer/filter", ANY, ANY, ANY)
    gate = weights.tensor("dilated_stack/layer0/filter", ANY, ANY, ANY)
    skip, classes = weights.tensor("postprocessing/postprocess2", 1, ANY, ANY).shape[1:]
    k, r, d = gate.shape
    scalar = first.shape[1] == 1
    for name, said, found in (
        ("filter_width", params.filter_width, k),
        ("residual_channels", params.residual_channels, r),
        ("dilation_channels", params.dilation_channels, d),
        ("skip_channels", params.skip_channels, skip),
        ("quantization_channels", params.quantization_channels, classes),
        ("scalar_input", scalar if params.scalar_input is None else params.scalar_input, scalar),
    ):
        if said not in (0, found) or (name == "scalar_input" and said != found):
            raise settings.wrong(f"{name} is {said}, the file has {found}; give its own settings")
    conditioning, table, found_words = _conditioning(weights, layers, d)
    spec = ModelSpec(
        sample_rate=params.sample_rate,
        dilations=params.dilations,
        kernel=k,
        input_kernel=len(first),
        residual_channels=r,
        gate_channels=2 * d,
        skip_channels=skip,
        head_channels=skip,
        output=Softmax(classes),
        conditioning=conditioning,
    )
    if scalar:
        amplitudes = mulaw.decode_table(classes).astype(np.float64)
        first = amplitudes[:, None] * first  # [k0, A, R]
    network = _network(weights, spec, first)
    weights.finish()
    kind = "amplitudes of the classes drawn" if scalar else "one-hot"
    return Imported(
        "ibab/tensorflow-wavenet", spec, arrays(network | table), (f"input {kind}", *found_words)
    )


FORMAT = Format("ibab", "an .npz of ibab/tensorflow-wavenet's variables", (), recognises, convert)


def _layers(weights: ForeignWeights) -> int:
    number = 0
    while f"dilated_stack/layer{number}/filter" in weights.names:
        number += 1
    return number


def _network(weights: ForeignWeights, spec: ModelSpec, first: Array) -> dict[str, Array]:
    """The canonical weights but for the conditioning."""
    k, r, s = spec.kernel, spec.residual_channels, spec.skip_channels
    d, classes = spec.gate_channels // 2, spec.output.params

    def optional(name: str, size: int) -> Array:
        return weights.tensor(name, size) if name in weights.names else np.zeros(size)

    gates, gate_bias, residual, residual_bias, skips, skip_bias = ([] for _ in range(6))
    for i in range(spec.layers):
        at = f"dilated_stack/layer{i}"
        halves = [weights.tensor(f"{at}/{half}", k, r, d)[::-1] for half in ("filter", "gate")]
        gates.append(np.concatenate(halves, axis=2))
        biases = [optional(f"{at}/{half}_bias", d) for half in ("filter", "gate")]
        gate_bias.append(np.concatenate(biases))
        residual.append(weights.tensor(f"{at}/dense", 1, d, r)[0])
        residual_bias.append(optional(f"{at}/dense_bias", r))
        skips.append(weights.tensor(f"{at}/skip", 1, d, s)[0])
        skip_bias.append(optional(f"{at}/slip_bias", s))
    residual[-1], residual_bias[-1] = np.zeros((d, r)), np.zeros(r)  # nobody uses it
    return {
        "input.weight": first[::-1],
        "input.bias": np.zeros(r),
        "gate.weight": np.stack(gates),
        "gate.bias": np.stack(gate_bias),
        "residual.weight": np.stack(residual),
        "residual.bias": np.stack(residual_bias),
        "skip.weight": np.stack(skips),
        "skip.bias": np.sum(skip_bias, axis=0),
        "head.0.weight": weights.tensor("postprocessing/postprocess1", 1, s, s)[0],
        "head.0.bias": optional("postprocessing/postprocess1_bias", s),
        "head.1.weight": weights.tensor("postprocessing/postprocess2", 1, s, classes)[0],
        "head.1.bias": optional("postprocessing/postprocess2_bias", classes),
    }


def _conditioning(
    weights: ForeignWeights, layers: int, d: int
) -> tuple[tuple[ConditionerSpec, ...], dict[str, Array], list[str]]:
    """The speakers, if there are any."""
    if "dilated_stack/layer0/gc_filter" not in weights.names:
        return (), {}, []
    each = []
    for i in range(layers):
        at = f"dilated_stack/layer{i}"
        halves = [weights.tensor(f"{at}/gc_{half}", 1, ANY, d)[0] for half in ("filter", "gate")]
        each.append(np.concatenate(halves, axis=1))
    condition, rows = embedded(weights, "embeddings/gc_embedding", np.stack(each, axis=1))
    table = {f"condition.{condition.name}.weight": rows}
    words = f"condition {condition.name}: {len(condition.values)} values"
    return (GlobalConditions((condition,)),), table, [words]
