"""How wn-doctor looks at a machine: files, programs, and imports in another process.

A broken driver can hang or kill the process that loads it, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from wn_runtime import isolated
from wn_runtime.engines.native import zig
from wn_runtime.system import cpu, here, nvidia

TIMEOUT_S = 30.0
"""Seconds that a probe may take; ONNX Runtime on a slow card reader needs several."""


class Machine:
    """The machine this runs on. `root` and `environ` can be another's, for tests."""

    def __init__(self, root: Path = Path("/"), environ: Mapping[str, str] | None = None) -> None:
        self._root = root
        self.environ = dict(os.environ if environ is None else environ)

    @property
    def architecture(self) -> str:
        """The processor's kind: `x86_64`, `aarch64`."""
        return here.machine()

    def cpu(self) -> tuple[str, frozenset[str]]:
        """The processor's name, and its features by the names of Linux."""
        if here.system() in ("windows", "macos"):
            return cpu.name(), cpu.features()
        fields = cpu.cpuinfo(self.read("/proc/cpuinfo") or "")
        return cpu.name_of(fields), cpu.of_cpuinfo(fields, self.architecture)

    def read(self, path: str) -> str | None:
        """A file's text without trailing blanks and NULs, or None."""
        try:
            text = (self._root / path.lstrip("/")).read_text("utf-8", "replace")
        except OSError:
            return None
        return text.rstrip("\0\n ")

    def pci_devices(self) -> list[str]:
        """Vendors of what is on the PCI bus (`0x10de` is NVIDIA); empty where there is no bus."""
        return nvidia.vendors(self._root)

    def which(self, program: str) -> str | None:
        """Full path of a program on PATH, or None."""
        return shutil.which(program, path=self.environ.get("PATH", ""))

    def zig(self) -> tuple[str, ...]:
        """The command of the C compiler that came as a wheel; none without it."""
        return zig.command()

    def run(
        self,
        arguments: Sequence[str],
        timeout: float = TIMEOUT_S,
        environ: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Exit status and output, both streams; 127 when it cannot start, 124 after `timeout`.

        environ: to start it in; None: the machine's.
        """
        try:
            done = subprocess.run(
                arguments,
                env=self.environ if environ is None else environ,
                cwd=isolated.NEUTRAL,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124, f"no answer in {timeout:g} s"
        except OSError as error:
            return 127, str(error)
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()

    def python(self, code: str, timeout: float = TIMEOUT_S) -> dict[str, Any]:
        """Run code that prints one line of JSON last, in another interpreter.

        Returns that object, or {"error": why} where there is none: the exception's last line, a
        crash by its signal, or the time that ran out.
        """
        status, output = self.run(isolated.python(code), timeout)
        lines = [line for line in output.splitlines() if line.strip()]
        if status == 0 and lines:
            try:
                found = json.loads(lines[-1])
            except ValueError:
                found = None
            if isinstance(found, dict):
                return found
        if status < 0:
            return {"error": f"it crashed with signal {-status}"}
        return {"error": lines[-1].strip() if lines else f"exit status {status}"}

    def version(self, distribution: str) -> str | None:
        """Version of an installed Python distribution, without importing it; None without."""
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            return None
