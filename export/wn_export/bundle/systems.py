"""The operating systems of a target, as far as a bundle must know them: which Python they bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wn_export.bundle import pins
from wn_runtime.errors import WavestepError, listed
from wn_targets.devices.jetpack import JETPACKS
from wn_targets.devices.target import Target


@dataclass(frozen=True)
class System:
    """What runs on the device."""

    title: str
    python: str
    """`3.10`: of its own python3."""
    cuda: int | None = None
    """Major version of CUDA, on a Jetson."""


LINUX = (
    System("Ubuntu 22.04", "3.10"),
    System("Debian 12", "3.11"),
    System("Ubuntu 24.04", "3.12"),
    System("Debian 13", "3.13"),
)
RASPBERRY_PI = (
    System("Raspberry Pi OS of Debian 12, 64-bit", "3.11"),
    System("Raspberry Pi OS of Debian 13, 64-bit", "3.13"),
)
_TOO_OLD = {"4.6": "2.27"}
"""JetPack to its glibc, where that is older than `pins.GLIBC`: Ubuntu 18.04's."""


def systems(target: Target | None, machine: str) -> tuple[System, ...]:
    """Those that a target has; None: any machine with this one's CPU.

    Raises WavestepError where none brings a Python that wavestep runs on.
    """
    if target is not None and target.family == "jetson":
        return _jetpacks(target)
    return (*LINUX, *(RASPBERRY_PI if machine == "aarch64" else ()))


def pythons(those: Sequence[System], asked: Sequence[str]) -> tuple[str, ...]:
    """The Pythons that wheels are for, oldest first: those asked for, or what the systems bring.

    Raises WavestepError for one that nothing is pinned for.
    """
    for each in asked:
        if each not in pins.PYTHONS:
            raise WavestepError(
                f"--python {each} is none that a bundle can be for: {listed(pins.PYTHONS)}"
            )
    chosen = set(asked) or {each.python for each in those}
    return tuple(each for each in pins.PYTHONS if each in chosen)


def _jetpacks(target: Target) -> tuple[System, ...]:
    releases = [JETPACKS[name] for name in target.jetpacks]
    fit = {each.extra: each for each in releases if each.python in pins.PYTHONS}
    if not fit:
        newest = releases[-1]
        why = f"{target.name} ends at JetPack {newest.version}, whose Python is {newest.python}"
        if newest.version in _TOO_OLD:
            raise WavestepError(
                f"{why} and whose glibc is {_TOO_OLD[newest.version]}, older than the wheels in a "
                "bundle need: none can be for it; copy the directory that --target alone makes"
            )
        raise WavestepError(
            f"{why}, and wavestep needs 3.10; where you have put a newer one on it, --target "
            "cortex-a57 makes a bundle for any 64-bit Arm"
        )
    return tuple(
        System(f"JetPack {each.version.partition('.')[0]}", each.python, each.cuda_major)
        for each in fit.values()
    )
