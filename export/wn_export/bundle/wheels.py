"""Wheels for another machine, by pip, each of them checked against its pinned SHA-256."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from wn_export.bundle import pins
from wn_runtime import isolated
from wn_runtime.errors import WavestepError

_PIP = "import runpy\nrunpy.run_module('pip', run_name='__main__')"
TIMEOUT_S = 1800.0


class NoWheels(WavestepError):
    """They could not be fetched: no index, no network, no pip."""


def fetch(requirements: Mapping[str, Sequence[str]], machine: str, folder: Path) -> list[Path]:
    """Bring the wheels of these packages, and pip's own, into an empty folder.

    requirements: Python version to lines of `pins`. pip takes them from the index that it is
    configured with, or from its cache. Raises NoWheels; then the folder is as it may be.
    """
    for python, lines in requirements.items():
        listed = folder / f"{python}.txt"
        listed.write_text("\n".join([*lines, *pins.pinned(pins.PIP)]) + "\n")
        _run(
            *("download", "--dest", str(folder), "--requirement", str(listed)),
            *("--require-hashes", "--no-deps", "--only-binary=:all:", "--implementation=cp"),
            *("--python-version", python, *(f"--platform={x}" for x in pins.platforms(machine))),
            *("--quiet", "--disable-pip-version-check", "--retries=1"),
        )
        listed.unlink()
    return sorted(folder.glob("*.whl"))


def _run(*arguments: str) -> None:
    try:
        done = subprocess.run(
            isolated.python(_PIP, *arguments),
            cwd=isolated.NEUTRAL,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoWheels(f"pip had not fetched them after {TIMEOUT_S:.0f} s") from error
    if done.returncode:
        lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
        words = [line for line in lines if "ERROR" in line or "No module" in line] or lines[-1:]
        raise NoWheels((words or ["pip fails"])[-1].removeprefix("ERROR: "))
