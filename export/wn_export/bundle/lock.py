"""Writes the pinned versions and hashes anew, by what pip would take from its index today.

    python -m wn_export.bundle.lock        for maintainers, in a checkout: constraints.txt holds

Nothing is installed. A version that constraints.txt does not name is the newest there is.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path

from wn_export.bundle import pins
from wn_runtime import temporary
from wn_targets.devices.jetpack import JETPACKS

CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"
HEAD = "# Written by `python -m wn_export.bundle.lock`.\n"
Found = dict[tuple[str, str], set[str]]
"""Name and version to the SHA-256 of wheels."""


def main() -> None:
    """Write every file of `pinned/`."""
    for python in pins.PYTHONS:
        base = _both(_needed(None), python)
        _write(python, base)
        if python in pins.CUDA:
            major = pins.CUDA[python]
            engine = [each for each in _needed(_extra(python)) if each.startswith("cuda-")]
            more = _resolved([*_exactly(base), *engine], python, "aarch64")
            _write(f"{python}-cuda{major}", {k: v for k, v in more.items() if k not in base})
    _write(pins.PIP, _both([pins.PIP], pins.PYTHONS[0]))


def _needed(extra: str | None) -> list[str]:
    """What wavestep requires, or that of its extras."""
    found = []
    for line in requires("wavestep") or ():
        name, _, marker = line.partition(";")
        if (f"extra == '{extra}'" in marker) if extra is not None else "extra" not in marker:
            found.append(name.strip())
    return found


def _extra(python: str) -> str:
    return next(each.extra for each in JETPACKS.values() if each.python == python)


def _exactly(found: Found) -> list[str]:
    return [f"{name}=={version}" for name, version in found]


def _both(wanted: Sequence[str], python: str) -> Found:
    """Of the one version that has wheels for every machine."""
    every: Found = defaultdict(set)
    for machine in pins.MACHINES:
        for key, hashes in _resolved(wanted, python, machine).items():
            every[key] |= hashes
    names = [name for name, _ in every]
    if len(names) != len(set(names)):
        raise SystemExit(f"error: the machines differ on Python {python}: {sorted(every)}")
    return every


def _resolved(wanted: Sequence[str], python: str, machine: str) -> Found:
    with temporary.folder() as folder:
        constraints = folder / "constraints.txt"
        constraints.write_text(_constraints(python))
        command = [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet"),
            *("--ignore-installed", "--only-binary=:all:", "--target", str(folder / "none")),
            *("--python-version", python, "--implementation", "cp", "--report", "-"),
            *("-c", str(constraints)),
            *(f"--platform={each}" for each in pins.platforms(machine)),
            *wanted,
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: Found = {}
    for each in json.loads(done.stdout)["install"]:
        name = re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower()
        digest = each["download_info"]["archive_info"]["hashes"]["sha256"]
        found[name, each["metadata"]["version"]] = {digest}
    return found


def _constraints(python: str) -> str:
    """constraints.txt as that Python has it: pip reads its markers for the Python it runs in."""
    from packaging.markers import Marker

    kept = []
    for line in CONSTRAINTS.read_text("utf-8").splitlines():
        pin, _, marker = line.partition(";")
        if line.startswith(("cuda-", "#")):  # of CUDA 13 alone
            continue
        if not marker or Marker(marker).evaluate({"python_version": python}):
            kept.append(pin)
    return "\n".join(kept)


def _write(name: str, found: Found) -> None:
    lines = [
        " ".join([f"{package}=={version}", *(f"--hash=sha256:{each}" for each in sorted(hashes))])
        for (package, version), hashes in sorted(found.items())
    ]
    (pins.FOLDER / f"{name}.txt").write_text(HEAD + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
