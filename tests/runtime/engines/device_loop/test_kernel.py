"""The step kernel: compiles for every GPU it is meant for, and on the CPU does what it must."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cuda_on_cpu.gpu import Gpu, Misuse
from tests.models.specs import CORNERS, PLAIN, random_spec
from tests.runtime.engines.device_loop.kernel_checks import (
    check_bias,
    check_draws,
    check_integers,
    check_rings,
)
from wn_runtime.engines.device_loop.compiler import STANDARD
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.device_loop.kernel import kernel_source
from wn_runtime.engines.device_loop.memory import StepMemory, bytes_needed
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax

ARCHITECTURES = (75, 80, 87, 89, 90, 110, 120)
CLASSES = (2, 7, 32, 33, 256, 300, 1000, 1024)
"""A class a lane, several, and lanes without any; sums of 32 bits, and from 1024 on of 64."""
EXCHANGES = sorted(set(re.findall(r"__\w+_sync", kernel_source(Softmax()))))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_compiles_for(nvrtc: Any, architecture: int) -> None:
    options = nvrtc.ProgramOptions(arch=f"sm_{architecture}", std=STANDARD)
    compiled = nvrtc.Program(kernel_source(Softmax()), "c++", options).compile("cubin")
    assert compiled.code[:4] == b"\x7fELF"
    for kernel in ("wn_prepare_fp16", "wn_prepare_fp32", "wn_advance_fp16", "wn_advance_fp32"):
        assert kernel.encode() in compiled.code


@pytest.mark.parametrize("classes", CLASSES)
def test_it_draws_what_the_head_draws(gpu: Gpu, classes: int) -> None:
    check_draws(CudaDevice(), classes)


@pytest.mark.parametrize("classes", CLASSES)
def test_its_draw_is_one_of_integers(gpu: Gpu, classes: int) -> None:
    check_integers(CudaDevice(), classes)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("seed", range(6))
def test_its_rings_hand_out_the_inputs_of_earlier_steps(
    gpu: Gpu, seed: int, precision: str
) -> None:
    check_rings(CudaDevice(), seed, precision)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(
    ("held", "offset"), [(1, 0), (2, 1), (3, 2), (5, 0), (7, 2), (7, 6), (24, 23), (40, 0)]
)
def test_a_row_of_bias_is_held_for_several_samples(
    gpu: Gpu, held: int, offset: int, precision: str
) -> None:
    check_bias(CudaDevice(), CORNERS["one_condition"], held, offset, precision)


def test_a_state_is_never_both_input_and_output_of_a_call(gpu: Gpu) -> None:
    memory = StepMemory(CudaDevice(), PLAIN, 2, "fp16")
    one, other = ({array.address for array in own.values()} for own in memory.sets)
    assert len(one) == len(other) == len(memory.sets[0])
    assert one.isdisjoint(other)


@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_of_its_memory_is_close(gpu: Gpu, seed: int) -> None:
    spec = random_spec(seed)
    StepMemory(CudaDevice(), spec, 2, "fp16")
    assert 0.8 < bytes_needed(spec, 2, "fp16") / gpu.used <= 1


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_its_lanes_need_every_exchange_they_have(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    """And the checks can fail: a lane that gets back its own value draws something else."""

    def without_it(head: Head) -> str:
        return f"#define {exchange}(lanes, own, ...) (own)\n" + kernel_source(head)

    monkeypatch.setattr("wn_runtime.engines.device_loop.memory.kernel_source", without_it)
    with pytest.raises((AssertionError, Misuse)):
        check_draws(CudaDevice(), 256)


def test_a_draw_is_not_one_lane_s() -> None:
    assert {"__shfl_sync", "__ballot_sync"} & set(EXCHANGES)
