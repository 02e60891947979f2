"""The machine code of the reference models: what stays in registers, and how long a chain is.

By NVRTC and nvdisasm; no GPU or driver.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.gpu import cubins, sass
from bench.gpu.cubins import (
    CHAIN_BUDGET,
    REFERENCE,
    Built,
    build,
    build_choice,
    chain_cycles,
    faults,
    registers_fit,
)
from bench.gpu.engine import MODELS
from bench.gpu.random_models import draw
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
        for precision in cubins.PRECISIONS
        for sm in STEP_SPILLS
    ]


@pytest.fixture(scope="module")
def nvdisasm() -> None:
    """A skip without it."""
    try:
        sass.disassembler()
    except sass.NoDisassembler as reason:
        pytest.skip(str(reason))


def read_back(built: Built) -> sass.Code:
    assert built.code is not None, "nvdisasm does not read the cubin"
    return built.code


@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize(("model", "precision", "sm"), cases())
def test_the_kernel_of_one_stream(model: str, precision: str, sm: int) -> None:
    built = build(model, precision, 1, sm)
    code = read_back(built)
    assert registers_fit(built)
    assert 0 < built.usage.barriers <= 16
    spills = sass.spills(code)
    assert spills.layer == 0, "a layer waits for what was spilled"
    assert spills.step <= STEP_SPILLS[sm]
    assert bool(built.usage.spill_bytes) == bool(spills.once + spills.step)
    if built.has_chain:
        assert chain_cycles(code) <= CHAIN_BUDGET
        assert sum(one.family in ("IMMA", "HMMA") for one in sass.chain(code)) == (
            4 if precision == "int8" else 8
        )


@pytest.mark.slow
@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize("precision", cubins.PRECISIONS)
@pytest.mark.parametrize("sm", [*cubins.TARGETS, 121])
def test_sixteen_streams_spill_little_in_a_layer(precision: str, sm: int) -> None:
    built = build(REFERENCE[1], precision, 16, sm)
    assert registers_fit(built)
    most = LAYER_SPILLS.get(built.choice.schedule.source, 0)
    assert sass.spills(read_back(built)).layer <= most


@pytest.mark.usefixtures("nvrtc", "nvdisasm")
@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 13))]
)
def test_a_kernel_of_any_model_on_any_gpu(number: int) -> None:
    drawn = draw(number, {sm: cubins.gpu(sm) for sm in (*cubins.TARGETS, 121)})
    built = build_choice(drawn.choice, drawn.sm)
    read_back(built)
    assert faults(built, drawn.sm) == [], drawn.shape


def test_what_no_kernel_may_have_is_said() -> None:
    drawn = draw(0, {90: cubins.gpu(90)})
    schedule = dataclasses.replace(drawn.choice.schedule, streams=1)
    choice = dataclasses.replace(drawn.choice, schedule=schedule)
    usage = Usage(registers=255, spill_bytes=8, barriers=17)
    built = Built(choice, Compiled(b"", "13.5", {GENERATE: usage}), 0.0, sass.parse(TEXT, "k"))
    found = faults(built, 75)
    words = ("threads of 255 registers", "bytes of shared memory of", "17 named", "1 reads and")
    assert [word in fault for word, fault in zip(words, found, strict=True)] == [True] * 4


def test_the_floor_of_a_layer_is_no_more_than_its_budget() -> None:
    assert FLOOR_LAYER_CYCLES[2] <= CHAIN_BUDGET


TEXT = """
//--------------------- .text.k         --------------------------
	.section	.text.k,"ax",@progbits
k:
.text.k:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
        /*0010*/                   STL [R1], R1                    (*"SpillRefill"*);
.L_x_0:
        /*0020*/                   LDL R9, [R1] ;
.L_x_1:
        /*0030*/                   BAR.SYNC.DEFER_BLOCKING R8, 0xc0 ;
        /*0040*/                   LDS.64 R4, [R2] ;
        /*0050*/                   BRA.DIV UR4, `(.L_x_3) ;
.L_x_2:
        /*0060*/                   FFMA R6, R5, R3, R9 ;
        /*0070*/                   MUFU.TANH R6, R6 ;
        /*0080*/              @!P1 FADD R6, R3, 1 ;
        /*0090*/                   STS [R2+0x10], R6 ;
        /*00a0*/                   BAR.ARV R7, 0xc0 ;
        /*00b0*/                   ISETP.GE.AND P0, PT, R6, c[0x0][0x1c0], PT ;
        /*00c0*/              @!P0 BRA `(.L_x_1) ;
        /*00d0*/              @!P1 BRA `(.L_x_0) ;
        /*00e0*/                   EXIT ;
.L_x_3:
        /*00f0*/                   LDL R4, [R1+0x4] ;
        /*0100*/                   BRA `(.L_x_2) ;
.L_x_4:
//--------------------- .text.other         --------------------------
.text.other:
        /*0000*/                   STL [R1], R1 ;
"""
"""Two loops, one in the other; a part of the inner one is moved behind the kernel's end."""


def test_spills_are_counted_by_loop() -> None:
    code = sass.parse(TEXT, "k")
    assert sorted(map(len, code.loops)) == [12, 14]
    assert sass.spills(code) == sass.Spills(once=1, step=1, layer=1)
    without_barriers = sass.parse(TEXT.replace("BAR.", "NOP."), "k")
    assert sass.spills(without_barriers) == sass.Spills(once=1, step=2, layer=0)


def test_a_predicated_instruction_waits_for_its_old_result() -> None:
    by_name = {one.opcode: one for one in sass.parse(TEXT, "k").instructions}
    assert by_name["LDS.64"].results == {"R4", "R5"}
    assert by_name["FADD"].sources == {"P1", "R3", "R6"}
    assert by_name["FFMA"].sources == {"R3", "R5", "R9"}
    assert by_name["STS"].results == frozenset()
    assert by_name["ISETP.GE.AND"].results == {"P0", "PT"}


def test_a_latency_is_the_longest_way_through_registers() -> None:
    straight = sass.parse(TEXT.replace("BRA.DIV UR4, `(.L_x_3)", "NOP"), "k")
    chain = sass.chain(straight)
    assert [one.opcode for one in chain[:2]] == ["BAR.SYNC.DEFER_BLOCKING", "LDS.64"]
    cycles = {"LDS": 30.0, "MUFU": 20.0}
    # The read, issued at 1; two sums of 4, a tanh, a sum; the store a clock before the arrival.
    found = sass.latency(chain, lambda one: cycles.get(one.family, 4.0))
    assert found == 1 + 30 + 4 + 20 + 4 + 1
    with pytest.raises(ValueError, match="branches"):
        sass.chain(sass.parse(TEXT, "k"))


def test_what_is_no_kernel_or_has_no_chain_is_said() -> None:
    with pytest.raises(ValueError, match="no kernel other2"):
        sass.parse(TEXT, "other2")
    with pytest.raises(ValueError, match="no loop has a tanh"):
        sass.chain(sass.parse(TEXT, "other"))


def test_without_nvdisasm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sass, "PACKAGES", ("nvidia-cuda-nvdisasm-of-nobody",))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(sass.NoDisassembler, match="pip install"):
        sass.disassembler()


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
    gpu = cubins.gpu(sm)
    schedule = cheapest(MODELS[model], "fp16", 1, gpu).schedule  # as choose_node takes it
    code = compile_ahead(source(schedule, CHUNK), gpu.compute_capability).code
    spills = sass.spills(sass.disassemble(code, GENERATE_CHUNK))
    assert spills.layer == 0
    assert spills.step <= STEP_SPILLS[sm]
