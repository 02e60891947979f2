"""No two warps touch the same out of order, by ThreadSanitizer; and who meets whom, and where."""

from __future__ import annotations

import functools

import pytest

from tests.cuda_on_cpu import device as cuda
from tests.cuda_on_cpu.gpu import Gpu
from tests.cuda_on_cpu.races import Launch, Watched, recorded, watch
from tests.models.specs import CORNERS, PLAIN, random_bias, random_uniforms, small_spec
from tests.runtime.engines.cuda.checks import opened
from tests.runtime.engines.cuda.meetings import first_warps, of_kernel, of_protocol
from tests.runtime.engines.cuda.protocol import block, cluster
from tests.runtime.engines.cuda.schedules import FIVE_LAYERS, blocks, clusters, flags
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.cuda.source import GENERATE, source

STEPS = 3
SPECS = CORNERS | {"five_layers": FIVE_LAYERS, "four_layers": small_spec((1, 2, 1, 2))}
QUICK = ("cluster", "90", "plain", "int8")
CASES = (
    QUICK,
    ("cluster-split", "90", "four_layers", "int8"),
    ("cluster-split", "90", "five_layers", "fp16"),
    ("flags", "87", "plain", "int8"),
    ("flags-older", "87", "five_layers", "int8"),
    ("resident", "87", "plain", "int8"),
    ("ring", "87", "kernel_3", "fp16"),
    ("ring", "90", "plain", "int8"),
    ("direct", "75", "uneven", "fp32"),
)
CLUSTER_MEETS = {"barrier 0"}  # right after all of a block did
TAKEN = {"barrier 11"}  # INPUT_TAKEN: of three layers the chain says as much
Z_FREE = {"barrier 12", "barrier 13", "barrier 14"}  # three layers, three slots: so does the head
STEP_DONE = {"barrier 2"}  # every warp has let go of the ring's stages
OTHERS_ORDER_AS_WELL = {
    ("cluster", "plain"): CLUSTER_MEETS | TAKEN,
    ("cluster-split", "five_layers"): CLUSTER_MEETS | TAKEN,
    ("ring", "plain"): Z_FREE | STEP_DONE,
}
"""Waits that others make up for, in these models; test_protocol has those for which they do not."""


def schedule_of(kind: str, name: str, precision: str) -> Schedule:
    spec = SPECS[name]
    found = blocks(spec, precision, 1) | clusters(spec, precision, 1) | flags(spec, precision, 1)
    return found[kind]


@functools.cache
def launch_of(kind: str, arch: str, name: str, precision: str) -> Launch:
    """The launch of STEPS samples of one stream."""
    schedule = schedule_of(kind, name, precision)
    with pytest.MonkeyPatch.context() as patch:
        gpu = cuda.install(patch, Gpu(arch=arch))
        with opened(schedule, 1) as engine, recorded(gpu, GENERATE, patch) as launches:
            uniforms = random_uniforms(STEPS, 1, each=schedule.spec.output.uniforms)
            engine.generate(random_bias(schedule.spec, 1), uniforms)
    (launch,) = launches
    return launch


@functools.cache
def watched(case: tuple[str, str, str, str], unordered: str = "") -> Watched:
    kind, arch, name, precision = case
    text = source(schedule_of(kind, name, precision))
    return watch(text, arch, GENERATE, launch_of(*case), unordered)


def marked(cases: tuple[tuple[str, str, str, str], ...]) -> list[object]:
    """All but the quick one are slow: each is compiled under the sanitizer."""
    return [
        pytest.param(case, id="-".join(case), marks=[] if case == QUICK else [pytest.mark.slow])
        for case in cases
    ]


@pytest.mark.parametrize("case", marked(CASES))
def test_no_two_warps_race(case: tuple[str, str, str, str]) -> None:
    found = watched(case)
    assert not found.races, found.races[0]
    assert found.memory == b"".join(launch_of(*case).after), "it is not the same launch"


@pytest.mark.parametrize("kind", ["barrier 5", "signal "])
def test_without_the_order_of_a_wait_they_do(kind: str) -> None:
    waits = [wait for wait in watched(QUICK).waits if wait.startswith(kind)]
    assert waits
    assert all(watched(QUICK, wait).races for wait in waits)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", marked(tuple(c for c in CASES if (c[0], c[2]) in OTHERS_ORDER_AS_WELL))
)
def test_no_wait_is_there_for_nothing(case: tuple[str, str, str, str]) -> None:
    for_nothing = {wait for wait in watched(case).waits if not watched(case, wait).races}
    assert for_nothing <= OTHERS_ORDER_AS_WELL[case[0], case[2]]


@pytest.mark.parametrize("case", marked(CASES[:2]))
def test_the_warps_of_a_cluster_meet_as_the_protocol_has_it(
    case: tuple[str, str, str, str],
) -> None:
    schedule, meetings = schedule_of(case[0], *case[2:]), watched(case).meetings
    ranks = schedule.layer_ranks
    protocol = cluster(ranks, schedule.spec.layers // ranks, STEPS)
    for rank in range(ranks):
        for role, warp in first_warps(schedule).items():
            process = f"{role}.{rank}"
            found = of_kernel(schedule, meetings, rank, warp)
            assert found == of_protocol(protocol, process), process
    head = of_kernel(schedule, meetings, schedule.head_rank, 0)
    assert head == of_protocol(protocol, "head")
    # The first warp arms the signal of hidden, the last one draws.
    params = of_protocol(protocol, "params")
    for warp, left_out in ((0, "come"), (schedule.warps - 1, "arm")):
        found = of_kernel(schedule, meetings, schedule.params_rank, warp)
        assert found == [move for move in params if move[0] != left_out]


@pytest.mark.slow
def test_the_warps_of_a_block_alone_meet_as_the_protocol_has_it() -> None:
    case = ("resident", "87", "plain", "int8")
    schedule, meetings = schedule_of(case[0], *case[2:]), watched(case).meetings
    protocol = block(PLAIN.layers, STEPS, schedule.z_depth)
    for role, warp in first_warps(schedule).items():
        found, expected = of_kernel(schedule, meetings, 0, warp), of_protocol(protocol, role)
        assert found[: len(expected)] == expected, role
        left = {move[1].partition(".")[0] for move in found[len(expected) :]}
        assert left <= {"back", "free"}, "what is waited for once all is done"
