"""Run as a program: a Python whose standard library looks as on Windows, then what is asked of it.

    python -m tests.runtime.system.windows_like import   every module of the product's runtime
    python -m tests.runtime.system.windows_like COMMAND ARGUMENTS …

COMMAND is one of the runtime's: run, inspect, …

What Windows lacks is gone: modules, functions, flags, signals; select is for sockets alone, there
is no C library to look into, no /proc, and an open file can be neither renamed nor removed. What it
has in their place is there as far as the product asks for it. Other packages are imported first, as
they have their own ways with each system. It shows what fails for want of something, and not that
Windows does what it is asked.
"""

# pathlib itself stands on these
# ruff: noqa: PTH109, PTH110, PTH112, PTH113, PTH115

from __future__ import annotations

import ctypes
import importlib
import os
import pathlib
import platform
import select
import signal
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MISSING_MODULES = ("fcntl", "pwd", "grp", "resource", "termios", "posix_ipc", "syslog", "readline")
MISSING = {
    os: (
        *(
            "geteuid",
            "getuid",
            "getegid",
            "getgid",
            "fork",
            "forkpty",
            "killpg",
            "getpgid",
            "setsid",
        ),
        *("sched_getaffinity", "sched_setaffinity", "getloadavg", "sysconf", "uname", "fchdir"),
        *("set_blocking", "pread", "pwrite", "mkfifo", "register_at_fork", "chown", "lchown"),
        *("O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY"),
    ),
    signal: ("SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGALRM", "pthread_sigmask", "SIG_BLOCK"),
    time: ("clock_gettime", "CLOCK_BOOTTIME", "CLOCK_MONOTONIC"),
}
HERE_ONLY = ("/proc", "/sys", "/etc")
HEAVY = ("asyncio", "numpy", "click", "tqdm", "safetensors.numpy", "soundfile", "onnxruntime")


class _NoModules:
    """Finds none of what Windows lacks."""

    def find_spec(self, name: str, *_rest: object) -> None:
        if name in MISSING_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def become() -> None:
    """Make this process one of a Windows that has what the product asks of it."""
    for package in HEAVY:
        try:
            importlib.import_module(package)
        except ImportError:
            continue
    _any_pipe_wakes()
    sys.meta_path.insert(0, _NoModules())
    for name in MISSING_MODULES:
        sys.modules.pop(name, None)
    for owner, names in MISSING.items():
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)
    sys.platform = "win32"
    platform.machine = lambda: "AMD64"
    os.environ["LOCALAPPDATA"] = os.environ["SYSTEMROOT"] = os.environ["USERPROFILE"] = os.getcwd()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    _no_sockets_no_select()
    _no_c_library()
    _no_system_files()
    _open_folders_never_open_files_moved()
    _windows_modules()


def _no_sockets_no_select() -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(10038, "an operation was attempted on something that is not a socket")

    select.select = refuse  # type: ignore[assignment]


def _any_pipe_wakes() -> None:
    """Windows takes a pipe that waits, too."""
    real, set_blocking = signal.set_wakeup_fd, os.set_blocking

    def set_wakeup_fd(descriptor: int, *, warn_on_full_buffer: bool = True) -> int:
        if descriptor != -1:
            set_blocking(descriptor, False)
        return real(descriptor, warn_on_full_buffer=warn_on_full_buffer)

    signal.set_wakeup_fd = set_wakeup_fd


def _no_c_library() -> None:
    real = ctypes.CDLL

    def load(name: str | None, *arguments: Any, **named: Any) -> ctypes.CDLL:
        if name is None:
            raise TypeError("bad argument type for built-in operation")
        return real(name, *arguments, **named)

    ctypes.CDLL = load  # type: ignore[assignment,misc]


def _no_system_files() -> None:
    real = Path.read_text

    def read_text(path: Path, *arguments: Any, **named: Any) -> str:
        if str(path).startswith(HERE_ONLY):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return real(path, *arguments, **named)

    Path.read_text = read_text  # type: ignore[method-assign,assignment]


def _held(path: object) -> bool:
    """Whether this process has that file open."""
    wanted = os.path.realpath(os.fspath(path))  # type: ignore[call-overload]
    for descriptor in range(3, 256):
        try:
            if os.readlink(f"/proc/self/fd/{descriptor}") == wanted:
                return True
        except OSError:
            continue
    return False


def _open_folders_never_open_files_moved() -> None:
    os_open, rename, replace, unlink = os.open, os.rename, os.replace, os.unlink

    def opened(path: Any, flags: int, mode: int = 0o777, **named: Any) -> int:
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return os_open(path, flags, mode, **named)

    def renamed(source: Any, target: Any, **named: Any) -> None:
        _refuse(source, target)
        if os.path.exists(target):
            raise FileExistsError(17, "it exists already", str(target))
        rename(source, target, **named)

    def replaced(source: Any, target: Any, **named: Any) -> None:
        _refuse(source, target)
        replace(source, target, **named)

    def unlinked(path: Any, **named: Any) -> None:
        _refuse(path)
        unlink(path, **named)

    def _refuse(*paths: Any) -> None:
        for path in paths:
            if os.path.isfile(path) and _held(path):
                raise PermissionError(13, "it is used by another process", str(path))

    os.open, os.rename, os.replace = opened, renamed, replaced  # type: ignore[assignment]
    os.unlink = os.remove = unlinked
    # pathlib of 3.10 has taken hold of them already.
    accessor: Any = getattr(pathlib, "_NormalAccessor", None)
    if accessor is not None:
        for name in ("rename", "replace", "unlink"):  # its open is io.open
            setattr(accessor, name, staticmethod(getattr(os, name)))


def _windows_modules() -> None:
    msvcrt: Any = types.ModuleType("msvcrt")
    msvcrt.LK_LOCK, msvcrt.LK_NBLCK = 1, 2
    msvcrt.locking = lambda _descriptor, _mode, _bytes: None
    msvcrt.get_osfhandle = lambda descriptor: descriptor
    winapi: Any = types.ModuleType("_winapi")
    winapi.PeekNamedPipe = lambda _handle, _bytes: (1, 1)
    winreg: Any = types.ModuleType("winreg")
    winreg.HKEY_LOCAL_MACHINE = 0

    class _Key:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *_error: object) -> None:
            return None

    winreg.OpenKey = lambda _root, _name: _Key()
    values = {"VendorIdentifier": "GenuineIntel", "ProcessorNameString": "A CPU  "}
    winreg.QueryValueEx = lambda _key, name: (values[name], 1)
    sys.modules.update({"msvcrt": msvcrt, "_winapi": winapi, "winreg": winreg})
    kernel32 = types.SimpleNamespace(IsProcessorFeaturePresent=lambda number: number in (13, 40))
    ctypes.windll = types.SimpleNamespace(kernel32=kernel32)  # type: ignore[attr-defined]


def main(words: Sequence[str]) -> None:
    """What is asked for on the command line."""
    become()
    from tests.imports.test_heavy import MODULES

    for module in MODULES:
        importlib.import_module(module)
    if words[0] == "import":
        from wn_runtime.system import cpu, here

        print(here.system(), here.machine(), *sorted(cpu.features()))
        return
    command = importlib.import_module(f"wn_runtime.commands.{words[0]}")
    sys.argv = [f"wn-{words[0]}", *words[1:]]
    command.main()


if __name__ == "__main__":
    main(sys.argv[1:])
