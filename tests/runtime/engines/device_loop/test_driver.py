"""Threads, graphs and arguments through the real cuda-core, above a driver that has no GPU."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_libcuda.driver import Machine, compiled
from tests.runtime.engines.device_loop.on_driver import CALLS, STEP_KERNEL

INVALIDATED = "901"
KERNELS = ("wn_prepare_fp32", "wn_advance_fp32")


@pytest.fixture(scope="module")
def machine(nvrtc: Any, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    found = Machine(tmp_path_factory.mktemp("machine"))
    found.provide(STEP_KERNEL, "87", compiled(nvrtc, STEP_KERNEL, "87"), *KERNELS)
    return found


def run(machine: Machine, name: str, *arguments: str) -> None:
    done = machine.run("-m", "tests.runtime.engines.device_loop.on_driver", name, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert machine.calls("left") == ["0 0 bytes"], "memory was not given back"


def test_a_device_works_in_other_threads_than_the_one_that_opened_it(machine: Machine) -> None:
    run(machine, "threads")
    assert all(line.startswith("0 ") for line in machine.calls("cuLaunchKernelEx"))


def test_a_graph_is_captured_and_replayed_in_another_thread(machine: Machine) -> None:
    run(machine, "graphs")
    (made,) = machine.calls("cuGraphInstantiateWithParams")
    assert made == f"0 {CALLS} nodes"
    assert len(machine.calls("cuGraphLaunch")) == 1
    ended = [line.split()[0] for line in machine.calls("cuStreamEndCapture")]
    assert (ended.count("0"), ended.count(INVALIDATED)) == (1, 2)
