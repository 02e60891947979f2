"""The power mode of a Jetson, which caps its clocks: which it has, and which is the fastest.

Its number is the board's own: MAXN is 0 on most, MAXN_SUPER is 2 on an Orin Nano of JetPack 6.2,
whose mode 0 is the slowest. So it is looked up in the board's table.
"""

from __future__ import annotations

import re

from wn_runtime.doctor.finding import NONE, OK, WARN, Finding
from wn_runtime.doctor.machine import Machine

TABLE = "/etc/nvpmodel.conf"
SUBJECT = "power mode"


def power_mode(machine: Machine, jetson: str | None) -> Finding:
    """Whether a Jetson runs in its fastest mode."""
    if jetson is None:
        return Finding(SUBJECT, NONE, "not a Jetson")
    status, output = machine.run(["nvpmodel", "-q"])
    named = [line.partition(":")[2].strip() for line in output.splitlines() if "Mode:" in line]
    if status or not named:
        return Finding(SUBJECT, WARN, "nvpmodel does not answer; clocks may be capped")
    mode, modes = named[0], modes_of(machine.read(TABLE) or "")
    fastest = max(modes, key=_rank, default=None)
    if "MAXN" in mode.upper() or (fastest and _same(mode) == _same(fastest)):
        return Finding(SUBJECT, OK, mode)
    if fastest is None:
        fix = "sudo nvpmodel -p --verbose lists the modes; take the fastest by nvpmodel -m"
    else:
        fix = f"sudo nvpmodel -m {modes[fastest]} && sudo jetson_clocks"
    return Finding(SUBJECT, WARN, f"{mode}: clocks are capped", fix)


def modes_of(table: str) -> dict[str, int]:
    """Name to number of the modes in an nvpmodel.conf."""
    found = re.findall(r"^\s*<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>", table, re.MULTILINE)
    return {name: int(number) for number, name in found}


def _rank(name: str) -> tuple[bool, bool, int]:
    """MAXN before what is named by its watts, MAXN_SUPER before MAXN."""
    watts = re.search(r"(\d+)W", name.upper())
    return "MAXN" in name.upper(), "SUPER" in name.upper(), int(watts[1]) if watts else 0


def _same(name: str) -> str:
    """nvpmodel writes MAXN_SUPER and MAXN SUPER."""
    return re.sub(r"[\s_]+", " ", name).upper()
