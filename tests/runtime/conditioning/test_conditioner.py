"""Names to gate biases."""

import numpy as np
import pytest

from tests import specs
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.errors import WavestepError

SPEC = specs.CORNERS["two_conditions"]
WEIGHTS = specs.random_weights(SPEC)
SPEAKERS, MOODS = WEIGHTS["condition.speaker.weight"], WEIGHTS["condition.mood.weight"]
CONDITIONER = Conditioner(SPEC, WEIGHTS)


def test_values_add_up_over_conditions_and_tags():
    bias = CONDITIONER.bias({"speaker": ["bob", 0], "mood": ["calm+loud", ""]}, 2)
    assert bias.shape == (1, SPEC.layers, 2, SPEC.gate)
    np.testing.assert_allclose(bias[0, :, 0], SPEAKERS[1] + MOODS[0] + MOODS[1], rtol=1e-6)
    np.testing.assert_allclose(bias[0, :, 1], SPEAKERS[0], rtol=1e-6)


def test_an_index_may_be_numpys():
    expected = CONDITIONER.bias({"speaker": 2}, 2)
    assert (CONDITIONER.bias({"speaker": np.int64(2)}, 2) == expected).all()
    assert (CONDITIONER.bias({"speaker": np.array([2, 2])}, 2) == expected).all()
    with pytest.raises(WavestepError, match=r"speaker '2\.5' is unknown"):
        CONDITIONER.bias({"speaker": 2.5}, 2)


def test_one_value_serves_all_streams_and_none_adds_nothing():
    bias = CONDITIONER.bias({"speaker": "eve"}, 3)
    assert (bias[0, :, 0] == bias[0, :, 2]).all()
    assert not CONDITIONER.bias({}, 2).any()
    assert Conditioner(specs.PLAIN, specs.random_weights(specs.PLAIN)).bias({}, 2) is None


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"speaker": "zoe"}, "speaker 'zoe' is unknown; this model has: ann, bob, eve"),
        ({"speaker": 3}, "speaker index 3 is out of range"),
        ({"mood": "calm+lud"}, "mood 'lud' is unknown.*did you mean 'loud'"),
        ({"moood": "calm"}, "condition 'moood' is unknown"),
        ({"speaker": ["ann", "bob", "eve"]}, "speaker has 3 values for 2 streams"),
    ],
)
def test_mistakes_are_named(conditions, message):
    with pytest.raises(WavestepError, match=message):
        CONDITIONER.bias(conditions, 2)
