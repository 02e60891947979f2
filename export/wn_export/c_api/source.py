"""One C file of a model's engine and host: what any compiler makes the library of."""

from __future__ import annotations

import re
from pathlib import Path

from wn_export.c_api.host_shapes import HostShapes
from wn_runtime.engines.native.compiler import FLAGS, SOURCE

HOST = SOURCE / "host"
HEADER = HOST / "wavestep.h"
"""The public header."""
OBJECT_FLAGS = tuple(flag for flag in FLAGS if flag != "-shared")
"""What it must be compiled with to make the samples that Python makes, and to need no libm."""
_INCLUDE = re.compile(r'^#include "(?:.*/)?([\w.]+)"\n', re.MULTILINE)


def c_source(shapes: HostShapes) -> str:
    """The text of wavestep.c with all that it includes but wavestep.h and the system's headers.

    Raises WavestepError for a conditioner without C code, EngineUnavailable for such a head.
    """
    made = {
        "shapes.h": shapes.network.header(),
        "head.h": shapes.network.head_source(),
        "host_shapes.h": shapes.header,
    }

    there = set[str]()  # each is once in it, as their guards have it

    def included(found: re.Match[str]) -> str:
        name = found[1]
        if name == HEADER.name:
            return found[0]
        if name in there:
            return ""
        there.add(name)
        return expanded(made[name] if name in made else _find(name).read_text("utf-8"))

    def expanded(text: str) -> str:
        return _INCLUDE.sub(included, text)

    command = " ".join(("cc", *OBJECT_FLAGS, "-march=… -c wavestep.c"))
    return f"/* {command} */\n" + expanded((HOST / "wavestep.c").read_text("utf-8"))


def _find(name: str) -> Path:
    path = HOST / name
    return path if path.is_file() else SOURCE / name
