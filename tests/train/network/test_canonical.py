"""The canonical weights are the trained model: the layer equation on them gives its logits."""

import numpy as np
import pytest
import torch

from tests import oracle, specs
from tests.export.checkpoints import random_wavenet
from wn_export.package.canonical import canonical_weights
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.errors import WavestepError


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize("name", ["two_conditions", "uneven", "input_kernel_2", "one_layer"])
def test_the_layer_equation_on_the_weights_is_the_model(name, weight_norm):
    spec = specs.CORNERS[name]
    model = random_wavenet(spec, weight_norm)
    weights = canonical_weights(model, "test")
    samples = specs.random_samples(spec, 40, 2)
    named = {c.name: [c.values[-1], c.values[0]] for c in spec.conditions}
    conditions = {
        c.name: torch.tensor([len(c.values) - 1, 0])
        if c.kind == "categorical"
        else torch.eye(len(c.values))[[-1, 0]]
        for c in spec.conditions
    }
    with torch.no_grad():
        expected = model(torch.from_numpy(samples.T.astype(np.int64)), conditions).numpy()
    found = oracle.score(spec, weights, samples, Conditioner(spec, weights).bias(named, 2))
    np.testing.assert_allclose(found, expected.transpose(1, 0, 2), atol=1e-4)


def test_a_model_with_a_broken_weight_is_refused():
    model = random_wavenet(specs.PLAIN)
    with torch.no_grad():
        model.input_bias[3] = float("nan")
    with pytest.raises(WavestepError, match=r"best\.pt: weight 'input\.bias' holds NaN"):
        canonical_weights(model, "best.pt")
