"""The engine's CUDA source as one text: what NVRTC compiles, and what tests run on the CPU."""

from __future__ import annotations

import re
from pathlib import Path

from wn_runtime.engines.cuda.macros import macros
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.errors import EngineUnavailable

SOURCE = Path(__file__).with_name("source")
GENERATE, SNAPSHOT, RESTORE = "wn_generate", "wn_snapshot", "wn_restore"
GENERATE_CHUNK = "wn_chunk"
CONTROL_MARK = 0x57617665
"""What a plan's node must find in its control before it makes anything."""
_INCLUDE = re.compile(r'^#include "(\w+\.cuh)"\n', re.MULTILINE)


def source(schedule: Schedule, chunk: int = 0) -> str:
    """CUDA C++ of one schedule. Raises EngineUnavailable for a head without CUDA code.

    With `chunk` it has GENERATE_CHUNK in place of GENERATE: a plan's node of so many samples.
    """
    head = schedule.spec.output
    draw = head.source(".cuh")
    if draw is None:
        raise EngineUnavailable(f"the GPU engines have no code for the head {head.kind!r}")
    constants = {**macros(schedule), "CHUNK": chunk, "CONTROL_MARK": CONTROL_MARK}
    made = {
        "shapes.cuh": "".join(f"#define {name} {value}\n" for name, value in constants.items()),
        "draw.cuh": draw,
    }

    def included(match: re.Match[str]) -> str:
        name = match.group(1)
        return made[name] if name in made else (SOURCE / name).read_text("utf-8")

    return _INCLUDE.sub(included, (SOURCE / "wavenet.cu").read_text("utf-8"))
