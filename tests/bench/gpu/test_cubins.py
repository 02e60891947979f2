"""The machine code of the reference models: what stays in registers, and how long a chain is.

By NVRTC and nvdisasm; no GPU or driver.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.gpu.built import (
    H_BUDGET,
    TARGETS,
    Z_BUDGET,
    Built,
    Chains,
    build,
    build_choice,
    faults,
    gpu,
    registers_fit,
)
from bench.gpu.cubins import PRECISIONS, REFERENCE
from bench.gpu.engine import MODELS
from bench.gpu.random_models import draw
from bench.gpu.sass import disassembly, findings
from bench.gpu.sass.code import Code
from bench.gpu.sass.disassembly import NoDisassembler, parse
from bench.gpu.sass.stages import products, stages
from tests.bench.gpu.listing import TEXT
from wn_runtime.engines.cuda.choose import cheapest
from wn_runtime.engines.cuda.costs import FLOOR_LAYER_CYCLES
from wn_runtime.engines.cuda.source import GENERATE, GENERATE_CHUNK, source
from wn_runtime.engines.device_loop.nvrtc import Compiled, Usage, compile_ahead
from wn_runtime.engines.tensorrt.fused.record import CHUNK

STEP_SPILLS = {87: 2, 90: 0}
"""Reads and writes of local memory a step, in all warps together: two where a layer has two
products in half precision."""
LAYER_SPILLS = {"direct": 4}
"""The same a layer, by where weights are: their addresses take registers where they are read from
global memory."""
QUICK_CHUNK = ("L20-R64-S128", 90)
QUICK = {("L20-R64-S128", "int8", 87), ("L20-R64-S128", "int8", 90), ("L20-R64-S128", "fp16", 90)}


def cases() -> list[Any]:
    """One stream of each model and precision; few of them quick."""
    return [
        pytest.param(
            *(model, precision, sm),
            id=f"{model}-{precision}-sm_{sm}",
            marks=[] if (model, precision, sm) in QUICK else [pytest.mark.slow],
        )
        for model in REFERENCE
        for precision in PRECISIONS
        for sm in STEP_SPILLS
    ]


@pytest.fixture(scope="module")
def nvdisasm() -> None:
    """A skip without it."""
    try:
        disassembly.disassembler()
    except NoDisassembler as reason:
        pytest.skip(str(reason))


def read_back(built: Built) -> Code:
    assert built.code is not None, "nvdisasm does not read the cubin"
    return built.code


@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize(("model", "precision", "sm"), cases())
def test_the_kernel_of_one_stream(model: str, precision: str, sm: int) -> None:
    built = build(model, precision, 1, sm)
    code = read_back(built)
    assert registers_fit(built)
    assert 0 < built.usage.barriers <= 16
    spills = findings.spills(code)
    assert spills.layer == 0, "a layer waits for what was spilled"
    assert spills.step <= STEP_SPILLS[sm]
    assert bool(built.usage.spill_bytes) == bool(spills.once + spills.step)
    if built.has_chain:
        chains = Chains.of(code)
        assert chains.z <= Z_BUDGET
        if not built.choice.schedule.flags:  # else the code does not always tell the roles apart
            assert chains.z < chains.h <= H_BUDGET
        assert products(stages(code)["gate"]) == (4 if precision == "int8" else 8)


@pytest.mark.slow
@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("sm", [*TARGETS, 121])
def test_sixteen_streams_spill_little_in_a_layer(precision: str, sm: int) -> None:
    built = build(REFERENCE[1], precision, 16, sm)
    assert registers_fit(built)
    most = LAYER_SPILLS.get(built.choice.schedule.source, 0)
    assert findings.spills(read_back(built)).layer <= most


@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 13))]
)
def test_a_kernel_of_any_model_on_any_gpu(number: int) -> None:
    drawn = draw(number, {sm: gpu(sm) for sm in (*TARGETS, 121)})
    built = build_choice(drawn.choice, drawn.sm)
    read_back(built)
    assert faults(built, drawn.sm) == [], drawn.shape


def test_what_no_kernel_may_have_is_said() -> None:
    drawn = draw(0, {90: gpu(90)})
    schedule = dataclasses.replace(drawn.choice.schedule, streams=1)
    choice = dataclasses.replace(drawn.choice, schedule=schedule)
    usage = Usage(registers=255, spill_bytes=8, barriers=17)
    built = Built(choice, Compiled(b"", "13.5", {GENERATE: usage}), 0.0, parse(TEXT, "k"))
    found = faults(built, 75)
    words = ("threads of 255 registers", "bytes of shared memory of", "17 named", "1 reads and")
    assert [word in fault for word, fault in zip(words, found, strict=True)] == [True] * 4


def test_the_floor_of_a_layer_is_no_more_than_its_budget() -> None:
    assert Z_BUDGET < FLOOR_LAYER_CYCLES[2] <= H_BUDGET


@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize(
    ("model", "sm"),
    [
        pytest.param(model, sm, marks=[] if (model, sm) == QUICK_CHUNK else [pytest.mark.slow])
        for model in REFERENCE
        for sm in STEP_SPILLS
    ],
)
def test_the_kernel_of_a_plan_spills_nothing_in_its_layers(model: str, sm: int) -> None:
    machine = gpu(sm)
    schedule = cheapest(MODELS[model], "fp16", 1, machine).schedule  # as choose_node takes it
    code = compile_ahead(source(schedule, CHUNK), machine.compute_capability).code
    spills = findings.spills(disassembly.disassemble(code, GENERATE_CHUNK))
    assert spills.layer == 0
    assert spills.step <= STEP_SPILLS[sm]
