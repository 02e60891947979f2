"""Where the kernel's warps meet, as it runs, in the words of protocol.py."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from tests.cuda_on_cpu.races import Meeting
from tests.runtime.engines.cuda.protocol import Protocol
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.cuda.source import SOURCE

Moves = list[tuple[str, str]]
"""What is done (`sync`, `arrive`, `wait`, `arm`, `come`), and at what."""
_ENUM = re.compile(r"^enum Barrier \{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"(\w+)\s*(?:=\s*([^,]+))?,?")
_CLUSTER = {
    "H_READY": "given0 given1",
    "STEP_DONE": "done",
    "Z_READY": "z0 z1",
    "SUMS_READY": "sums",
    "LAYER_READY": "layer0 layer1",
    "INPUT_TAKEN": "taken",
}
_ALONE = {
    "H_READY": "h",
    "STEP_DONE": "step",
    "ALL_WORKERS": "all",
    "Z_READY": "z",
    "SUMS_READY": "sums.0 sums.1",
    "SUMS_FREE": "free.0 free.1",
}
_SIGNALS = ("h", "skip", "hidden")


def barriers(schedule: Schedule) -> dict[int, str]:
    """The protocol's name of each named barrier but those of one role alone."""
    found = _ENUM.search((SOURCE / "layout.cuh").read_text("utf-8"))
    assert found
    known: dict[str, int] = {"CHAINED": int(schedule.chained), "Z_DEPTH": schedule.z_depth}
    kept, value = [True], 0
    for line in found[1].splitlines():
        text = line.partition("//")[0].strip()
        if text.startswith("#if"):
            kept.append(bool(eval(text[3:], {}, known | {"FLAGS": 0})))
        elif text == "#else":
            kept[-1] = not kept[-1]
        elif text == "#endif":
            kept.pop()
        elif text and all(kept):
            entry = _ENTRY.match(text)
            assert entry, text
            value = eval(entry[2], {}, known) if entry[2] else value + 1
            known[entry[1]] = value
    names = _CLUSTER if schedule.cluster > 1 else dict(_ALONE)
    if schedule.cluster == 1:
        for barrier, name in (("Z_FOR_SKIP", "for"), ("Z_FREE", "back")):
            names[barrier] = " ".join(f"{name}.{slot}" for slot in range(schedule.z_depth))
    return {
        known[barrier] + i: name
        for barrier, of in names.items()
        for i, name in enumerate(of.split())
    }


def first_warps(schedule: Schedule) -> dict[str, int]:
    """The first warp of each role of a block that has layers."""
    w = schedule.widths
    firsts = itertools.accumulate((0, w.gate_warps, w.residual_warps, w.skip_warps))
    return dict(zip(("gate", "residual", "skip", "older"), firsts, strict=True))


def of_kernel(schedule: Schedule, meetings: Iterable[Meeting], block: int, warp: int) -> Moves:
    """A warp's, from where the roles begin to where they end."""
    of_barrier = barriers(schedule)
    every = list(meetings)
    signals = sorted({each.number for each in every if each.kind == "signal"})
    names = dict(zip(signals, (*_SIGNALS, *(f"z{i}" for i in range(len(signals)))), strict=False))
    mine = [each for each in every if (each.block, each.warp) == (block, warp)]
    begin = max(i for i, each in enumerate(mine[: len(mine) // 2]) if _is_of_all(each)) + 1
    found: Moves = []
    for each in mine[begin:]:
        if each.kind == "signal":
            name = names[each.number]
            what = "wait" if each.what == "pass" else each.what
            if name == "h":
                found.append((what, f"h.{each.of}"))
            else:
                found.append((what, re.sub(r"^z(\d)", rf"z.{each.of}.\1", name)))
        elif each.kind == "barrier" and each.what != "pass" and each.number in of_barrier:
            name = of_barrier[each.number]
            found.append((each.what, f"{name}.{block}" if schedule.cluster > 1 else name))
    # What is sent in several pieces comes once.
    return [
        move for i, move in enumerate(found) if move[0] != "come" or i == 0 or move != found[i - 1]
    ]


def _is_of_all(meeting: Meeting) -> bool:
    """Of all threads, as before the roles begin."""
    return meeting.kind == "cluster_sync" or (meeting.kind, meeting.number) == ("barrier", 0)


def of_protocol(protocol: Protocol, process: str) -> Moves:
    """A process's, without what the block does for it before the roles begin.

    To come to a signal of the gate warps is to arm it there.
    """
    words = {"meet": "sync", "pass": "arrive"}
    moves = [
        (words.get(move[0], move[0]), move[1])
        for move in protocol.programs[process]
        if move[0] in ("sync", "arrive", "meet", "pass", "wait", "arm", "come")
    ]
    moves = [move for move in moves if move[0] != "arm" or not move[1].startswith("z.")]
    if moves[0][0] == "arm" or moves[0] == ("sync", "all"):
        moves = moves[1:]
    return moves
