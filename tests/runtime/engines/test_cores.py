"""Which cores threads may have, as Linux tells of affinity, siblings, sizes and quotas."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wn_runtime.engines import cores

SMT = {0: "0,4", 1: "1,5", 4: "0,4", 5: "1,5"}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root whose files are this machine's /sys and /proc."""
    monkeypatch.setattr(cores, "_CPUS", tmp_path / "cpu")
    monkeypatch.setattr(cores, "_EFFICIENT", tmp_path / "cpu_atom")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_OWN_GROUPS", tmp_path / "own")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def allow(monkeypatch: pytest.MonkeyPatch, *cpus: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(cpus), raising=False)


def test_siblings_are_one_core(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cpu, siblings in SMT.items():
        write(machine / "cpu" / f"cpu{cpu}" / "topology" / "thread_siblings_list", siblings + "\n")
    allow(monkeypatch, 0, 1, 4, 5)
    assert cores.apart() == {0, 1}
    allow(monkeypatch, 1, 4, 5)
    assert cores.apart() == {1, 4}
    assert cores.usable() == 2


def test_small_cores_are_left_out_beside_large_ones(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cpu, capacity in enumerate([450, 450, 1024, 980]):
        write(machine / "cpu" / f"cpu{cpu}" / "cpu_capacity", f"{capacity}\n")
    allow(monkeypatch, 0, 1, 2, 3)
    assert cores.apart() == {2, 3}
    allow(monkeypatch, 0, 1)
    assert cores.apart() == {0, 1}


def test_intel_tells_of_its_small_cores_in_another_file(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(machine / "cpu_atom", "2-3\n")
    allow(monkeypatch, 0, 1, 2, 3)
    assert cores.apart() == {0, 1}
    allow(monkeypatch, 2, 3)
    assert cores.apart() == {2, 3}


@pytest.mark.parametrize(
    ("own", "files", "quota"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "250000 100000"}, 2.5),
        ("0::/a/b\n", {"a/b/cpu.max": "100000 100000", "a/cpu.max": "250000 100000"}, 1.0),
        (
            "4:cpu,cpuacct:/x\n1:memory:/y\n",
            {"cpu/x/cpu.cfs_quota_us": "300000", "cpu/x/cpu.cfs_period_us": "100000"},
            3.0,
        ),
        (
            "4:cpu,cpuacct:/\n",
            {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
            None,
        ),
        ("1:memory:/y\n", {"y/cpu.max": "1000 100000"}, None),
        ("nonsense\n", {"cpu.max": "10 ten\n"}, None),
    ],
)
def test_quotas_of_control_groups(
    machine: Path, own: str, files: dict[str, str], quota: float | None
) -> None:
    write(machine / "own", own)
    for name, text in files.items():
        write(machine / "cgroup" / name, text)
    assert cores.quota() == quota


def test_a_quota_below_one_core_leaves_one_thread(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(monkeypatch, *range(8))
    assert cores.usable() == 8
    write(machine / "own", "0::/\n")
    write(machine / "cgroup" / "cpu.max", "50000 100000")
    assert cores.usable() == 1
    write(machine / "cgroup" / "cpu.max", "350000 100000")
    assert cores.usable() == 3


def test_where_the_system_tells_nothing_all_cpus_count(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores.apart() == frozenset()
    assert cores.usable() == 6
