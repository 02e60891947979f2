"""What the C API must make as Python does: every kind of head, condition and conditioner, small."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.models.specs import CORNERS, MOOD, SPEAKER, random_weights, small_spec
from tests.runtime.conditioning import local, stacks, stretching
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import Condition
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.postprocess import Postprocess
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

MANY = Condition("style", "tags", tuple("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"))
"""More tags than a word has bits."""

GLOBAL: dict[str, ModelSpec] = {
    "uneven": CORNERS["uneven"],
    "tags": small_spec(conditions=(SPEAKER, MANY, MOOD), postprocess=Postprocess(0.85, 1.5)),
    "linear": small_spec(output=Softmax(300, "linear"), input_kernel=2),
    "curve": small_spec(output=Logistic(3, mu=255), postprocess=Postprocess(gain=0.5)),
    "gaussian": small_spec(output=Gaussian(), conditions=(SPEAKER,)),
}
"""Models whose bias is the same to the bit, and with it their audio."""

_LOCAL = {local.named(spec): spec for spec in local.EVERY}
_C = 3
_EVERYTHING = (
    GlobalConditions((SPEAKER,)),
    LocalFrames(_C, 12, 5, (3,), False, "linear", 4),
    GlobalConditions((MOOD,)),
    StretchedFrames(_C, (4, 3), (1, 1), (1, 1), context=1),
    ContextStack(4, 24, 5, 3, 2, (1, 2), stacks.CLASSES),
)
FRAMED: dict[str, ModelSpec] = {
    **{
        name: small_spec(conditioning=(_LOCAL[name],))
        for name in ("none-causal-repeat12", "5x3-centred-linear4", "3-causal-transposed6")
    },
    **{
        f"stretched: {name}": small_spec(conditioning=(stretching.EVERY[name],))
        for name in ("context", "frequency", "activation", "margin")
    },
    "stack of amplitudes": stacks.spec_with(dataclasses.replace(stacks.PLAIN, classes=0)),
    "stack": stacks.spec_with(stacks.EVERY["random 3"]),
    "everything": small_spec(conditioning=_EVERYTHING),
    "stretched first": small_spec(
        conditioning=(
            StretchedFrames(_C, (4, 3), (1, 1), (1, 1), context=1, slope=0.5, margin=1),
            LocalFrames(_C, 12, 5, (3,), True, "transposed", 6),
        )
    ),
}
"""Models whose bias is sums that NumPy adds up in an order of its own."""


def weights_of(spec: ModelSpec) -> Weights:
    """Random ones; frames are normalised by scales that are positive."""
    weights = random_weights(spec, 1)
    for name, array in weights.items():
        if name.endswith(".scale"):
            array[:] = np.abs(array) + np.float32(0.1)
    return weights


def choices_of(spec: ModelSpec) -> dict[str, str]:
    """A value of every condition; of tags three or two."""
    return {
        condition.name: "+".join(condition.values[-3:])
        if condition.kind == "tags"
        else condition.values[-1]
        for condition in spec.conditions
    }
