"""Machine code as nvdisasm writes it: its loops, what is spilled in them, latencies in a row."""

from __future__ import annotations

import pytest

from bench.gpu.built import Chains
from bench.gpu.sass import disassembly, findings
from bench.gpu.sass.disassembly import NoDisassembler
from bench.gpu.sass.stages import stages
from tests.bench.gpu.listing import ROLES, TEXT


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
    chain = stages(disassembly.parse(TEXT, "k"))["gate"]
    assert [one.opcode for one in chain[:3]] == ["BAR.SYNC.DEFER_BLOCKING", "LDS.64", "BRA.DIV"]
    assert chain[-1].opcode == "BAR.ARV"
    cycles = {"LDS": 30.0, "MUFU": 20.0}
    # The read, issued at 1; two sums of 4, a tanh, a sum; the store a clock before the arrival.
    found = findings.latency(chain, lambda one: cycles.get(one.family, 4.0))
    assert found == 1 + 30 + 4 + 20 + 4 + 1


def test_the_way_of_a_stage_goes_by_its_products_round_its_loop() -> None:
    """Before the arrival of the next layer's the residual warps' products are branched around."""
    found = stages(disassembly.parse(ROLES, "k"))
    ways = {role: [one.opcode for one in way] for role, way in found.items()}
    assert ways == {
        "residual": ["BAR.SYNC", "BRA", "IMMA.16832.S8.S8", "BRA", "STS", "BAR.ARV"],
        "older": ["BAR.SYNC", "HMMA.16816.F32", "BAR.ARV"],
    }


def test_what_is_no_kernel_or_has_no_chain_is_said() -> None:
    with pytest.raises(ValueError, match="no kernel other2"):
        disassembly.parse(TEXT, "other2")
    with pytest.raises(ValueError, match="no loop has a tanh"):
        Chains.of(disassembly.parse(TEXT, "other"))
    assert Chains.of(disassembly.parse(TEXT, "k")).h == 0


def test_without_nvdisasm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disassembly, "PACKAGES", ("nvidia-cuda-nvdisasm-of-nobody",))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoDisassembler, match="pip install"):
        disassembly.disassembler()
