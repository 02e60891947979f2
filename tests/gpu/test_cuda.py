"""The CUDA engine on this GPU is the model, in every precision and with every schedule."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.gpu.cuda_cases import Case, corners
from tests.law.engines import verify_engine_contract
from tests.models.specs import random_bias, random_uniforms, random_weights
from tests.runtime.engines.cuda.checks import (
    TOLERANCE,
    check_draws,
    check_pieces,
    check_snapshots_move,
    opened,
)
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.heads.head import Samples

pytestmark = pytest.mark.usefixtures("compiled_ahead")
KINDS = (
    Case("kernel_3", "fp16", "resident", 2, 3),
    Case("kernel_3", "fp32", "direct", 2, 3),
    Case("kernel_3", "int8", "cluster", 2, 3),
)


@pytest.mark.parametrize("case", corners(), ids=str)
def test_it_obeys_the_contract(gpu: CudaDevice, case: Case) -> None:
    with opened(case.schedule(gpu), case.batch) as engine:
        verify_engine_contract(engine, random_weights(case.spec), TOLERANCE[case.precision])


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_it_draws_what_the_head_draws(gpu: CudaDevice, case: Case) -> None:
    with opened(case.schedule(gpu), case.batch) as engine:
        check_draws(engine, 2000)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_a_block_longer_than_a_launch_comes_in_pieces(
    gpu: CudaDevice, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_pieces(case.schedule(gpu), case.batch, monkeypatch)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_snapshots_move_to_the_native_engine_and_back(gpu: CudaDevice, case: Case) -> None:
    check_snapshots_move(case.schedule(gpu), case.batch)


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_two_engines_at_once_do_not_disturb_each_other(gpu: CudaDevice, case: Case) -> None:
    """In turns in one thread, and each in a thread of its own."""
    schedule, batch = case.schedule(gpu), case.batch
    bias = random_bias(case.spec, batch)
    blocks = [random_uniforms(300, batch, seed, case.spec.output.uniforms) for seed in range(6)]
    with opened(schedule, batch, seed=0) as one, opened(schedule, batch, seed=1) as other:
        pair = (one, other)
        alone = [[engine.generate(bias, block) for block in blocks] for engine in pair]
        one.reset()
        other.reset()
        turns = [[engine.generate(bias, block) for engine in pair] for block in blocks]
        for number in range(2):
            for block, expected in zip(turns, alone[number], strict=True):
                assert np.array_equal(block[number], expected)

        found: list[list[Samples]] = [[], []]

        def run(number: int) -> None:
            pair[number].reset()
            found[number] += [pair[number].generate(bias, block) for block in blocks]

        threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert np.array_equal(np.array(found), np.array(alone))
