"""The fastest power mode is asked for by the number that it has on this board."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.doctor.machines import Described, script
from wn_runtime.doctor import power

SUPER = "# modes\n< POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_0 1\n"
SUPER += "< POWER_MODEL ID=1 NAME=25W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"
BEFORE = "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=7W >\n"
AGX = "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=1 NAME=MODE_15W >\n"
AGX += "< POWER_MODEL ID=3 NAME=MODE_50W >\n< PM_CONFIG DEFAULT=1 >\n"


@pytest.mark.parametrize(
    ("table", "mode", "fix"),
    [
        (SUPER, "15W", "sudo nvpmodel -m 2 && sudo jetson_clocks"),
        (SUPER, "MAXN_SUPER", None),
        (SUPER, "MAXN SUPER", None),
        (BEFORE, "7W", "sudo nvpmodel -m 0 && sudo jetson_clocks"),
        (BEFORE, "15W", None),
        (AGX, "MODE_50W", "sudo nvpmodel -m 0 && sudo jetson_clocks"),
        (AGX, "MAXN", None),
        (None, "MAXN", None),
        (None, "15W", "sudo nvpmodel -p --verbose"),
    ],
)
def test_a_mode(tmp_path: Path, table: str | None, mode: str, fix: str | None) -> None:
    script(tmp_path / "bin", "nvpmodel", f"echo 'NV Power Mode: {mode}'; echo 0")
    if table is not None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/nvpmodel.conf").write_text(table)
    machine = Described(tmp_path, {}, str(tmp_path / "bin"))
    found = power.power_mode(machine, "Jetson")
    assert found.state == ("ok" if fix is None else "warn")
    assert found.detail.startswith(mode)
    assert found.fix.startswith(fix or "")
    assert bool(found.fix) == (fix is not None)


def test_without_an_answer_or_a_jetson(tmp_path: Path) -> None:
    machine = Described(tmp_path, {})
    assert power.power_mode(machine, None).state == "-"
    assert power.power_mode(machine, "Jetson").state == "warn"
