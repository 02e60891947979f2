"""Three machines of new users, and a command as it answers there: what first_ten.py asks.

    python -m bench.errors.machines FOLDER NAME HIDDEN MODULE [ARGUMENTS …]

runs a command's module in a process that takes FOLDER for the root of the machine NAME. Substituted
is what the code reads to know where it is: files of the system, the programs on PATH, the
processor, Python's place, what pip noted of the installation, and which packages are there
(HIDDEN, with commas, are not). The Python itself stays this one.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from tests.plugins.hiding import hide

HOME = "/home/ann"
WHEEL = f"{HOME}/wavestep-0.1.0-py3-none-any.whl"
CHECKOUT = f"{HOME}/wavestep"
SITE = "/site"
"""Folder of the root with what pip noted, and of modules that stand in for others."""


@dataclass(frozen=True)
class Machine:
    """One of them."""

    title: str
    processor: str
    """As `uname -m` says it."""
    python: str
    """The program that wavestep runs in."""
    source: str
    """What it was installed from: CHECKOUT or WHEEL."""
    files: dict[str, str] = field(default_factory=dict)
    """Of the system: path to text."""
    environment: str | None = None
    """The virtual environment; None: it is the system's Python."""


MACHINES = {
    "pc": Machine(
        "a PC with an NVIDIA GPU: Ubuntu 24.04, driver 580, a checkout, an activated environment",
        "x86_64",
        f"{CHECKOUT}/.venv/bin/python",
        CHECKOUT,
        {
            "/etc/os-release": "NAME=Ubuntu\nID=ubuntu\nVERSION_ID=24.04\n",
            "/proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64  580.95.05\n",
            "/sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
            "/dev/nvidiactl": "",
        },
        f"{CHECKOUT}/.venv",
    ),
    "jetson": Machine(
        "a Jetson Orin Nano: JetPack 6.2 (Ubuntu 22.04), a wheel, an activated environment",
        "aarch64",
        f"{HOME}/env/bin/python",
        WHEEL,
        {
            "/etc/os-release": "NAME=Ubuntu\nID=ubuntu\nVERSION_ID=22.04\n",
            "/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 1\n",
            "/proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference\0",
            "/dev/nvmap": "",
        },
        f"{HOME}/env",
    ),
    "pi": Machine(
        "a Raspberry Pi 5: Debian 12, a wheel in the system's Python, which is Debian's to manage",
        "aarch64",
        "/usr/bin/python3",
        WHEEL,
        {
            "/etc/os-release": "NAME=Debian\nID=debian\nVERSION_ID=12\n",
            "/proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
            "/sys/bus/pci/devices/0001:01:00.0/vendor": "0x1de4\n",
            "/usr/lib/python3.11/EXTERNALLY-MANAGED": "[externally-managed]\n",
        },
    ),
}


def lay_out(machine: Machine, root: Path) -> None:
    """Its files, its programs (Debian's apt-get and pip, which do nothing) and its installation."""
    for path, text in machine.files.items():
        _write(root, path, text)
    beside = str(Path(machine.python).parent)
    for program in ("/usr/bin/apt-get", f"{beside}/pip"):
        _write(root, program, "#!/bin/sh\n").chmod(0o755)
    if machine.environment is not None:
        made = f"home = {root}/usr/bin\ninclude-system-site-packages = false\n"
        _write(root, f"{machine.environment}/pyvenv.cfg", made)
    where = root / machine.source.lstrip("/")
    if machine.source == CHECKOUT:
        _write(root, f"{CHECKOUT}/pyproject.toml", "")
        noted = {"url": where.as_uri(), "dir_info": {"editable": True}}
    else:
        _write(root, WHEEL, "")
        noted = {"url": where.as_uri(), "archive_info": {}}
    info = f"{SITE}/wavestep-0.1.0.dist-info"
    own = metadata.distribution("wavestep").read_text("METADATA")
    _write(root, f"{info}/METADATA", own or "")
    _write(root, f"{info}/direct_url.json", json.dumps(noted))


def become(machine: Machine, root: Path, hidden: Sequence[str]) -> None:
    """From here on this process is on that machine, laid out in `root`."""
    sys.path.insert(0, str(root) + SITE)
    hide(frozenset(hidden))
    from wn_runtime import extras, system_packages
    from wn_runtime.engines.cuda import present
    from wn_runtime.engines.native import zig

    sys.executable = str(root) + machine.python
    sys.base_prefix = f"{root}/usr"
    sys.prefix = str(root) + (machine.environment or "/usr")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), f"{root}/usr/bin"])
    os.environ.pop("CC", None)
    platform.machine = lambda: machine.processor
    sysconfig.get_path = lambda name, *_args, **_settings: f"{root}/usr/lib/python3.11/{name}"
    managed = [path for path in machine.files if path.endswith("EXTERNALLY-MANAGED")]
    if managed:
        folder = str(Path(str(root) + managed[0]).parent)
        sysconfig.get_path = lambda _name, *_args, **_settings: folder
    extras.ROOT = root
    present.DEVICES = tuple(str(root) + name for name in present.DEVICES)
    system_packages._is_root = lambda: False
    zig.command, zig.is_placeholder = lambda: (), lambda: False


def _write(root: Path, path: str, text: str) -> Path:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


if __name__ == "__main__":
    folder, name, hidden, module, *arguments = sys.argv[1:]
    become(MACHINES[name], Path(folder), hidden.split(","))
    sys.argv = [module, *arguments]
    importlib.import_module(module).main()
