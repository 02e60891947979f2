"""The canonical weights are the trained model: the layer equation on them gives its params."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from tests.law import oracle
from tests.models import specs
from tests.train.models import Amplitudes, random_model
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.errors import WavestepError
from wn_train.data import chunks
from wn_train.network.canonical import canonical_weights

SPECS = {name: specs.CORNERS[name] for name in ("two_conditions", "uneven", "input_kernel_2")} | {
    "one_layer": specs.CORNERS["one_layer"],
    "amplitudes": dataclasses.replace(specs.CORNERS["kernel_3"], output=Amplitudes(5)),
}


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize("name", SPECS)
@torch.no_grad()
def test_the_layer_equation_on_the_weights_is_the_model(name: str, weight_norm: bool) -> None:
    spec = SPECS[name]
    model = random_model(spec, weight_norm)
    weights = canonical_weights(model, "test")
    samples = specs.random_samples(spec, 40, 2)
    given = [{c.name: c.values[i] for c in spec.conditions} for i in (-1, 0)]
    known = torch.from_numpy(samples.T.astype(np.int64 if spec.output.codes else np.float32))
    expected = model(known, chunks.encode(given, spec)).numpy()
    named: dict[str, Values] = {c.name: [row[c.name] for row in given] for c in spec.conditions}
    bias = Conditioner(spec, weights).whole(named, 2, len(samples))
    found = oracle.score(spec, weights, samples, bias)
    np.testing.assert_allclose(found, expected.transpose(1, 0, 2), atol=1e-4)


def test_a_model_with_a_broken_weight_is_refused() -> None:
    model = random_model(specs.PLAIN)
    with torch.no_grad():
        model.input.bias[3] = float("nan")
    with pytest.raises(WavestepError, match=r"best\.pt: weight 'input\.bias' holds NaN"):
        canonical_weights(model, "best.pt")
