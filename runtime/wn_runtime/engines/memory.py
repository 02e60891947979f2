"""Memory of streams, asked for before it is taken: a batch that does not fit is a line at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_runtime.model.layout import layout
from wn_runtime.model.spec import ModelSpec

COPIES = 2
"""Of a stream's state beside the engine's own: the silence it begins from, and what is read or
written of it at a time."""
EACH_STREAM = 1 << 14
"""Bytes of a stream beside its state: randomness, a block of samples, an open file."""
_CGROUP = Path("/sys/fs/cgroup")


def check_streams(spec: ModelSpec, streams: int) -> None:
    """Raise WavestepError where the state of so many streams is more than this process can have."""
    needed = streams * stream_bytes(spec)
    available = available_bytes()
    if available is not None and needed > available:
        raise WavestepError(
            f"{streams} streams of this model need {needed / 2**30:.1f} GiB of memory, "
            f"{available / 2**30:.1f} GiB are available; take a smaller batch"
        )


def stream_bytes(spec: ModelSpec) -> int:
    """The most that a stream takes, beside the model that it shares with others."""
    state = sum(array.stream_bytes for array in layout(spec).values())
    own = spec.state_rows * row_bytes(spec.residual_channels)
    gates = 4 * spec.layers * spec.gate_channels
    return own + COPIES * state + (1 + COPIES) * gates + EACH_STREAM


def row_bytes(channels: int) -> int:
    """The most that an engine has of a row of a delay line: padded to 16 floats, with its scale."""
    return 4 * (-(-channels // 16) * 16 + 1)


def available_bytes() -> int | None:
    """What this process can still have: of the machine, its container and its own limits.

    None where the system does not tell.
    """
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    for line in _lines(Path("/proc/meminfo")):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024
    limit, used = (_number(_CGROUP / f"memory.{name}") for name in ("max", "current"))
    if limit is not None and used is not None:
        yield max(0, limit - used)
    taken = _number(Path("/proc/self/statm"))  # its first number: pages of the address space
    if sys.platform == "win32":
        return
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        yield max(0, soft - (taken or 0) * resource.getpagesize())


def _number(path: Path) -> int | None:
    """The first word of a file, where it is a number."""
    words = next(iter(_lines(path)), "").split()
    return int(words[0]) if words and words[0].isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []
