"""Imports commands once, then forks a child a case, limits and watches it, and says how it ended.

    python zygote.py MODULE …

One JSON request a line comes in on stdin, one JSON answer a line goes out on stdout. The child
leaves this module by its last line and ends as any interpreter does: what threads, exit functions
and the last flush print is part of the case. Nothing of the tests is imported here.
"""

from __future__ import annotations

import sys

sys.path.pop(0)  # this folder, whose names are not for the command to import

import contextlib
import ctypes
import faulthandler
import gc
import importlib
import io
import json
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

GRACE = 5.0
"""Seconds that helpers of a command that has ended may take to end, too."""
_STREAMS = ("stdin", "stdout", "stderr")
_SUBREAPER, _DEATH_SIGNAL = 36, 1
_SHOW = signal.SIGUSR2
_LIBC = ctypes.CDLL(None)


def serve(requests: io.TextIOBase, answers: io.TextIOBase) -> dict[str, Any] | None:
    """Answer requests until there are none (None), or be the child of one (that request)."""
    for line in requests:
        request: dict[str, Any] = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            return {**request, "ready": writer}
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        answers.write(json.dumps(_watch(pid, request)) + "\n")
        answers.flush()
    return None


def _watch(pid: int, request: dict[str, Any]) -> dict[str, Any]:
    """Wait for a child that is about to call its command."""
    started = time.monotonic()
    stop, timed_out, pause = request["stop"], False, 0.001
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        now = time.monotonic() - started
        if ended:
            break
        if stop is not None and now >= stop["after"]:
            os.kill(pid, getattr(signal, stop["signal"]))
            stop = None
        if now > request["seconds"]:
            if not timed_out:
                os.kill(pid, _SHOW)  # where each thread is, on stderr
                time.sleep(0.2)
            timed_out = True
            os.kill(pid, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": now,
        "peak_mb": usage.ru_maxrss / 1024,
        "timed_out": timed_out,
        "left": _clear(GRACE if not timed_out else 0),
    }


def _clear(grace: float) -> list[str]:
    """End what the command left running, also what it detached; their command lines."""
    deadline = time.monotonic() + grace
    while (children := _children()) and time.monotonic() < deadline:
        _reap()
        time.sleep(0.01)
    left = [_words(pid) for pid in children]
    while children := _children():
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(0.005)
    return left


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _children() -> list[int]:
    """Alive or not yet waited for; orphans come to us (subreaper)."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    return [int(pid) for pid in text.split()]


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
    except OSError:
        return "?"


def become(request: dict[str, Any]) -> None:
    """The child: its own session, limits, environment, folder and streams."""
    os.setsid()
    _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    for name, value in request["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    os.environ.clear()
    os.environ.update(request["environment"])
    faulthandler.register(_SHOW, file=2)
    for number in (signal.SIGTERM, signal.SIGHUP):  # nohup's child would hear nothing
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["work"])
    for fd, name in enumerate(_STREAMS):
        _attach(fd, request["streams"].get(name, ""), request[name])
    for fd, name in enumerate(_STREAMS):
        setattr(sys, name, _text(fd, name))
        setattr(sys, f"__{name}__", getattr(sys, name))
    sys.argv = [request["command"], *request["arguments"]]


def _attach(fd: int, how: str, file: str) -> None:
    """What a shell would have put at a descriptor."""
    if how == "closed":
        with contextlib.suppress(OSError):
            os.close(fd)
        return
    if how == "broken":
        reader, writer = os.pipe()
        source = writer if fd else reader
        os.dup2(source, fd)
        os.close(reader)
        os.close(writer)
        return
    path = "/dev/full" if how == "full" else file
    source = os.open(path, os.O_RDONLY if fd == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if source != fd:
        os.dup2(source, fd)
        os.close(source)


def _text(fd: int, name: str) -> io.TextIOWrapper | None:
    """The stream that an interpreter starting now would make, after PYTHONIOENCODING."""
    try:
        os.fstat(fd)
    except OSError:
        return None
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "").partition(":")
    if name == "stderr":
        errors = "backslashreplace"
    raw = io.FileIO(fd, "r" if fd == 0 else "w", closefd=False)
    buffer = io.BufferedReader(raw) if fd == 0 else io.BufferedWriter(raw)
    line_buffering = name == "stderr"
    return io.TextIOWrapper(buffer, encoding or "utf-8", errors or "strict", None, line_buffering)


def _main(ahead: list[str]) -> Callable[[], object] | None:
    """The command in a child; None in the zygote once it has served."""
    requests = os.fdopen(os.dup(0), encoding="ascii")
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    for name in ahead:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _LIBC.prctl(_SUBREAPER, 1)
    gc.collect()
    gc.freeze()
    request = serve(requests, answers)
    if request is None:
        return None
    requests.close()
    answers.close()
    become(request)
    entry = request["entry"]
    if request["fresh"]:
        os.execve(
            sys.executable, [sys.executable, __file__, "--fresh", entry, *sys.argv], os.environ
        )
    command = _command(entry)
    os.write(request["ready"], b".")
    os.close(request["ready"])
    return lambda: command()


def _command(entry: str) -> Callable[[], object]:
    module, function = entry.split(":")
    found: Callable[[], object] = getattr(importlib.import_module(module), function)
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fresh"]:
        run: Callable[[], object] | None = _command(sys.argv[2])
        del sys.argv[:3]
    else:
        run = _main(sys.argv[1:])
    if run is not None:
        run()
