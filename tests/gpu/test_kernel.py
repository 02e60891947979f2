"""The step kernel does on the GPU what it does on the CPU."""

from __future__ import annotations

import pytest

from tests.models.specs import CORNERS
from tests.runtime.engines.device_loop.kernel_checks import (
    check_bias,
    check_draws,
    check_integers,
    check_rings,
)
from wn_runtime.engines.device_loop.device import CudaDevice


@pytest.mark.parametrize("classes", [2, 7, 32, 33, 256, 300, 1000, 65536])
def test_it_draws_what_the_head_draws(gpu: CudaDevice, classes: int) -> None:
    check_draws(gpu, classes)


@pytest.mark.parametrize("classes", [2, 7, 32, 33, 256, 300, 1000, 65536])
def test_its_draw_is_one_of_integers(gpu: CudaDevice, classes: int) -> None:
    check_integers(gpu, classes)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("seed", range(6))
def test_its_rings_hand_out_the_inputs_of_earlier_steps(
    gpu: CudaDevice, seed: int, precision: str
) -> None:
    check_rings(gpu, seed, precision)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("held", "offset"), [(1, 0), (3, 2), (7, 2), (7, 6), (24, 23), (40, 0)])
def test_a_row_of_bias_is_held_for_several_samples(
    gpu: CudaDevice, held: int, offset: int, precision: str
) -> None:
    check_bias(gpu, CORNERS["one_condition"], held, offset, precision)
