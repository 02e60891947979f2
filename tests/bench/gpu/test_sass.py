"""Machine code as nvdisasm writes it: its loops, what is spilled in them, latencies in a row."""

from __future__ import annotations

import pytest

from bench.gpu.sass import disassembly, findings
from bench.gpu.sass.disassembly import NoDisassembler
from tests.bench.gpu.listing import TEXT


def test_spills_are_counted_by_loop() -> None:
    code = disassembly.parse(TEXT, "k")
    assert sorted(map(len, code.loops)) == [12, 14]
    assert findings.spills(code) == findings.Spills(once=1, step=1, layer=1)
    without_barriers = disassembly.parse(TEXT.replace("BAR.", "NOP."), "k")
    assert findings.spills(without_barriers) == findings.Spills(once=1, step=2, layer=0)


def test_a_predicated_instruction_waits_for_its_old_result() -> None:
    by_name = {one.opcode: one for one in disassembly.parse(TEXT, "k").instructions}
    assert by_name["LDS.64"].results == {"R4", "R5"}
    assert by_name["FADD"].sources == {"P1", "R3", "R6"}
    assert by_name["FFMA"].sources == {"R3", "R5", "R9"}
    assert by_name["STS"].results == frozenset()
    assert by_name["ISETP.GE.AND"].results == {"P0", "PT"}


def test_a_latency_is_the_longest_way_through_registers() -> None:
    straight = disassembly.parse(TEXT.replace("BRA.DIV UR4, `(.L_x_3)", "NOP"), "k")
    chain = findings.chain(straight)
    assert [one.opcode for one in chain[:2]] == ["BAR.SYNC.DEFER_BLOCKING", "LDS.64"]
    cycles = {"LDS": 30.0, "MUFU": 20.0}
    # The read, issued at 1; two sums of 4, a tanh, a sum; the store a clock before the arrival.
    found = findings.latency(chain, lambda one: cycles.get(one.family, 4.0))
    assert found == 1 + 30 + 4 + 20 + 4 + 1
    with pytest.raises(ValueError, match="branches"):
        findings.chain(disassembly.parse(TEXT, "k"))


def test_what_is_no_kernel_or_has_no_chain_is_said() -> None:
    with pytest.raises(ValueError, match="no kernel other2"):
        disassembly.parse(TEXT, "other2")
    with pytest.raises(ValueError, match="no loop has a tanh"):
        findings.chain(disassembly.parse(TEXT, "other"))


def test_without_nvdisasm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disassembly, "PACKAGES", ("nvidia-cuda-nvdisasm-of-nobody",))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoDisassembler, match="pip install"):
        disassembly.disassembler()
