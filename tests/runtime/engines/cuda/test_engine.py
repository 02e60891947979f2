"""The CUDA engine is the model: its own source on a GPU that is the CPU."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.cuda_on_cpu.gpu import Gpu
from tests.law import oracle
from tests.law.engines import verify_engine_contract
from tests.models.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from tests.runtime.engines.cuda.checks import TOLERANCE, check_draws, opened
from tests.runtime.engines.cuda.schedules import FIVE_LAYERS, clusters, every
from wn_runtime.engines.cuda.schedule import PRECISIONS, Schedule
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.logistic import Logistic
from wn_runtime.model.spec import ModelSpec

SPECS = CORNERS | {
    "five_layers": FIVE_LAYERS,
    "logistic": dataclasses.replace(CORNERS["kernel_3"], output=Logistic(3)),
    "gaussian": dataclasses.replace(CORNERS["plain"], output=Gaussian(), input_kernel=2),
}
# Model, precision, kind of schedule, streams of a group, streams.
QUICK = (
    ("plain", "int8", "resident", 1, 1),
    ("input_kernel_2", "int8", "cluster", 1, 2),
    ("five_layers", "int8", "cluster-split", 2, 3),
    ("five_layers", "int8", "flags-older", 1, 2),
    ("one_layer", "int8", "direct", 5, 3),
    ("kernel_3", "fp16", "ring-embedded", 2, 3),
)
SLOW = (
    ("two_conditions", "int8", "ring", 1, 2),
    ("uneven", "fp16", "flags", 2, 1),
    ("plain", "int8", "flags-two", 1, 1),
    ("input_kernel_2", "fp16", "cluster-split", 9, 10),
    ("logistic", "fp16", "resident-embedded", 2, 2),
    ("gaussian", "fp16", "cluster", 1, 1),
    ("uneven", "fp32", "direct", 2, 3),
)
CASES = (*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW))
SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 9)))


def schedule_of(spec: ModelSpec, precision: str, kind: str, streams: int) -> Schedule:
    return every(spec, precision, streams)[kind]


@pytest.mark.parametrize(("name", "precision", "kind", "streams", "batch"), CASES)
def test_it_obeys_the_contract(
    gpu: Gpu, name: str, precision: str, kind: str, streams: int, batch: int
) -> None:
    schedule = schedule_of(SPECS[name], precision, kind, streams)
    with opened(schedule, batch) as engine:
        weights = random_weights(schedule.spec)
        verify_engine_contract(engine, weights, TOLERANCE[precision], steps=16)


@pytest.mark.slow
def test_what_is_read_from_global_memory_makes_no_difference(gpu: Gpu) -> None:
    """To the last bit: the same layers in the same blocks, wherever their weights are."""
    found = clusters(FIVE_LAYERS, "int8", 1)
    resident = found["cluster-split"]
    read = dataclasses.replace(found["cluster-older"], head_read=True, skip_early=0)
    assert read.first_layer == resident.first_layer
    samples, bias = random_samples(FIVE_LAYERS, 8, 1), random_bias(FIVE_LAYERS, 1, 4)
    params = []
    for schedule in (resident, found["cluster-skip"], read):
        with opened(schedule, 1) as engine:
            params.append(engine.score(samples, bias))
    assert np.array_equal(params[0], params[1])
    assert np.array_equal(params[0], params[2])


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_any_model(gpu: Gpu, seed: int) -> None:
    """Shapes, precision and schedule by chance; params to the layer equation, and the draw."""
    rng = np.random.default_rng(seed)
    spec, precision = random_spec(seed), PRECISIONS[seed % 3]
    streams, batch = int(rng.integers(1, 10)), int(rng.integers(1, 6))
    found = every(spec, precision, streams)
    schedule = found[str(rng.choice(list(found)))]
    samples, bias = random_samples(spec, 24, batch), random_bias(spec, batch, 8)
    expected = oracle.score(spec, random_weights(spec), samples, bias)
    with opened(schedule, batch) as engine:
        error = np.abs(engine.score(samples, bias) - expected).max() / np.abs(expected).max()
        assert error <= TOLERANCE[precision], (schedule, error)
        check_draws(engine, 16)
