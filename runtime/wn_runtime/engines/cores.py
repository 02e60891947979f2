"""The cores that this process may use: what Linux tells of affinity, siblings, sizes and quotas."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

_CPUS = Path("/sys/devices/system/cpu")
_EFFICIENT = Path("/sys/devices/cpu_atom/cpus")
"""On Intel's CPUs of two kinds, the small ones."""
_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def usable() -> int:
    """Threads that can run at a time, each on a core of its own: at least 1."""
    count = len(apart()) or os.cpu_count() or 1
    share = quota()
    return count if share is None else max(1, min(count, int(share)))


def within(asked: int) -> tuple[int, str]:
    """As many threads as are asked for and can run at a time, and words for where that is fewer."""
    have = usable() if asked > 1 else 1
    if asked <= have:
        return asked, ""
    return have, f" ({asked} asked for; {have} core{'s' * (have > 1)} can be used)"


def allowed() -> int:
    """CPUs that this process may use, several of one core among them."""
    return len(_mine()) or os.cpu_count() or 1


def apart() -> frozenset[int]:
    """One CPU of each core that this process may use, none of small cores beside large ones.

    Empty where the system does not tell.
    """
    siblings: dict[frozenset[int], int] = {}
    for cpu in sorted(_mine()):
        told = _text(_CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list")
        siblings.setdefault(_cpus(told) or frozenset({cpu}), cpu)
    sizes = {cpu: _capacity(cpu) for cpu in siblings.values()}
    # Cores of one kind differ a little in what they reach; small ones have half of it.
    large = frozenset(cpu for cpu, size in sizes.items() if 4 * size >= 3 * max(sizes.values()))
    return (large - _cpus(_text(_EFFICIENT))) or large


def _mine() -> set[int]:
    """The CPUs that this process may use; none where the system does not tell."""
    if sys.platform in ("win32", "darwin"):
        return set()
    try:
        return os.sched_getaffinity(0)
    except (AttributeError, OSError):  # nor on every other
        return set()


def quota() -> float | None:
    """Cores' worth of time that this process's control groups have; None: no limit."""
    limits = []
    for line in _text(_OWN_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2) if line.count(":") >= 2 else ("", "-", "/")
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = _GROUPS / "cpu" if controllers else _GROUPS
        inner = PurePosixPath(path.lstrip("/"))
        limits += [_limit(root / group) for group in (inner, *inner.parents)]
    return min((limit for limit in limits if limit is not None), default=None)


def _limit(group: Path) -> float | None:
    """Of one control group, of version 2 or 1."""
    words = _text(group / "cpu.max").split()
    if not words:
        words = [_text(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    try:
        time, period = (int(word) for word in words)
    except ValueError:  # "max", or nothing
        return None
    return time / period if time > 0 and period > 0 else None


def _capacity(cpu: int) -> int:
    """Of 1024 for the largest; Arm's kernels tell."""
    told = _text(_CPUS / f"cpu{cpu}" / "cpu_capacity").strip()
    return int(told) if told.isdigit() else 1024


def _cpus(told: str) -> frozenset[int]:
    """A list as Linux writes it, `0-3,8`."""
    found: set[int] = set()
    for part in told.strip().split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (not last or last.isdigit()):
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
