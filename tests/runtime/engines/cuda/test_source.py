"""The CUDA source compiles for every GPU that has what a schedule needs, and counts the same bytes.

layout.cuh asserts that its structs have the sizes that schedule.py counts.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.models.specs import random_spec, small_spec
from tests.runtime.engines.cuda.schedules import MOST, blocks, clusters, every
from tests.runtime.engines.cuda.test_engine import SPECS
from wn_runtime.engines.cuda.schedule import PRECISIONS, Schedule
from wn_runtime.engines.cuda.source import GENERATE, RESTORE, SNAPSHOT, source
from wn_runtime.engines.device_loop.compiler import STANDARD

ARCHITECTURES = (75, 80, 87, 90, 120)
EVERY = SPECS | {f"random-{seed}": random_spec(seed) for seed in range(6)}
PAPER = small_spec(
    [1 << i % 10 for i in range(30)], residual=64, gate=128, skip=256, head=256, classes=256
)
SIZES = ("LAYER_BYTES", "MODEL_BYTES", "SHARED_BYTES", "MAIL_BYTES")


def has(architecture: int, schedule: Schedule) -> bool:
    """A ring needs mbarriers, of compute capability 8.0, as one product does; a cluster 9.0."""
    if schedule.cluster > 1 and not schedule.flags:
        return architecture >= 90
    return architecture >= 80 or not (schedule.source == "ring" or schedule.chained)


def grid() -> list[Any]:
    """Every architecture, precision and kind of schedule, each with another model in its turn.

    Of eight seven are left to the slow tests.
    """
    found: list[Any] = []
    for architecture in ARCHITECTURES:
        for precision in PRECISIONS:
            for kind in every(SPECS["plain"], precision, 1):
                number = len(found)
                spec = list(EVERY.values())[number % len(EVERY)]
                schedule = every(spec, precision, 1 + 4 * (number % 3)).get(kind)
                if schedule is None or not has(architecture, schedule):
                    continue
                name = f"sm_{architecture}-{precision}-{kind}-{list(EVERY)[number % len(EVERY)]}"
                slow = [pytest.mark.slow] if number % 8 else []
                found.append(pytest.param(architecture, schedule, id=name, marks=slow))
    return found


def compiled(nvrtc: Any, text: str, architecture: int) -> bytes:
    options = nvrtc.ProgramOptions(arch=f"sm_{architecture}", std=STANDARD)
    code: bytes = nvrtc.Program(text, "c++", options).compile("cubin").code
    return code


@pytest.mark.parametrize(("architecture", "schedule"), grid())
def test_it_compiles_for(nvrtc: Any, architecture: int, schedule: Schedule) -> None:
    code = compiled(nvrtc, source(schedule), architecture)
    assert code[:4] == b"\x7fELF"
    for kernel in (GENERATE, SNAPSHOT, RESTORE):
        assert kernel.encode() in code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "precision", "kind"),
    [(87, "int8", "ring"), (90, "int8", "cluster"), (90, "fp16", "ring"), (75, "fp32", "direct")],
)
def test_the_paper_s_model_compiles_for(
    nvrtc: Any, architecture: int, precision: str, kind: str
) -> None:
    found = blocks(PAPER, precision, 1) | clusters(PAPER, precision, 1, most=MOST)
    assert compiled(nvrtc, source(found[kind]), architecture)


@pytest.mark.parametrize(
    ("size", "kind"),
    [(size, kind) for size in SIZES[:3] for kind in ("ring", "cluster")] + [(SIZES[3], "flags")],
)
def test_a_size_counted_wrongly_does_not_compile(nvrtc: Any, size: str, kind: str) -> None:
    text = source(every(SPECS["uneven"], "int8", 2)[kind])
    wrong, times = re.subn(rf"#define {size} (\d+)", rf"#define {size} (\1 + 16)", text)
    assert times == 1
    with pytest.raises(Exception, match="static assertion failed"):
        compiled(nvrtc, wrong, 90)


@pytest.mark.parametrize(
    ("architecture", "kind"), [(75, "ring"), (75, "cluster"), (75, "flags-older"), (87, "cluster")]
)
def test_a_gpu_without_mbarriers_or_clusters_is_refused_what_needs_them(
    nvrtc: Any, architecture: int, kind: str
) -> None:
    schedule = every(SPECS["five_layers"], "int8", 1)[kind]
    assert not has(architecture, schedule)
    with pytest.raises(Exception, match=r"NVRTC_ERROR_COMPILATION[\s\S]* is undefined"):
        compiled(nvrtc, source(schedule), architecture)
