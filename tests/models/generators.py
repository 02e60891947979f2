"""Models whose generator graphs differ: every head, near layers, far ones, and both."""

from __future__ import annotations

from tests.models.specs import CORNERS, MOOD, SPEAKER, small_spec
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.postprocess import Postprocess
from wn_runtime.model.spec import ModelSpec

MODELS: dict[str, ModelSpec] = {
    "near": CORNERS["two_conditions"],
    "near, k 3, k0 2": CORNERS["uneven"],
    "near and far, k 3": small_spec((1, 64, 100, 8), kernel=3, conditions=(SPEAKER,)),
    "far, k 4, k0 3": small_spec((64, 70), kernel=4, input_kernel=3, conditions=(MOOD,)),
    "far, a scale, nothing conditioned": small_spec((80,), residual_scale=0.5**0.5),
    "a block's length": small_spec((63, 64, 65)),
    "linear": small_spec((1, 2), output=Softmax(600, "linear")),
    "logistic": small_spec((1, 64), output=Logistic(4), conditions=(SPEAKER,)),
    "logistic of one": small_spec(
        (1, 2), output=Logistic(1, mu=255), postprocess=Postprocess(0.85, 0.5)
    ),
    "gaussian": small_spec((3, 70), output=Gaussian(), input_kernel=2),
    "gaussians": small_spec((1, 2), output=Gaussian(3), postprocess=Postprocess(gain=3)),
}
