"""The step kernel on the GPU does what it does on the CPU."""

from __future__ import annotations

import pytest

from tests.runtime.engines.device_loop import test_kernel as on_cpu


@pytest.mark.parametrize("temperature", [1.0, 0.6, 0.0])
@pytest.mark.parametrize("classes", [2, 33, 256, 300])
def test_it_draws_what_the_numpy_sampler_draws(gpu, classes, temperature):
    on_cpu.test_it_draws_what_the_numpy_sampler_draws(gpu, classes, temperature)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("seed", range(6))
def test_its_rings_hand_out_the_inputs_of_earlier_steps(gpu, seed, precision):
    on_cpu.test_its_rings_hand_out_the_inputs_of_earlier_steps(gpu, seed, precision)


def test_uniforms_at_the_very_ends_draw_the_first_and_the_last_class(gpu):
    on_cpu.test_uniforms_at_the_very_ends_draw_the_first_and_the_last_class(gpu)
