"""What a bundle is asked to be, checked before an export begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_export.bundle import pins, place
from wn_export.bundle.systems import System, pythons, systems
from wn_runtime.engines.native import cpu, platforms
from wn_runtime.engines.native.compiler import find_cross_compiler
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.system import here
from wn_targets.constraints import THIS_CPU
from wn_targets.devices.catalogue import find

HERE = "machines with a CPU like the one it was exported on"


@dataclass(frozen=True)
class Bundle:
    """One that is to be made."""

    path: Path
    """A folder, or a .tar."""
    title: str
    """Of the target, in words."""
    jetson: bool
    machine: str
    """`aarch64` or `x86_64`."""
    compute_capability: str | None
    """`8.7`, of the target's GPU; None where it has none."""
    systems: tuple[System, ...]
    """What may run on the device."""
    pythons: tuple[str, ...]
    """What wheels are for, oldest first."""


def order(path: Path, target: str | None, asked: Sequence[str] = ()) -> Bundle:
    """Check what a bundle is asked for.

    target: what `--target` names; asked: the Pythons of `--python`. Raises WavestepError where
    no bundle can be made for it, nothing here compiles for its CPU, or `path` is another's.
    """
    if target is None:
        raise WavestepError(
            "--bundle needs --target: what the device is (wn-targets lists them; cpu is one like "
            "this machine)"
        )
    device = None if target == THIS_CPU else find(target, THIS_CPU)
    if device is not None and device.cpu is None:
        raise WavestepError(
            f"{target} is a card that sits in any machine, so no bundle can be for it; name the "
            "machine's CPU, as --target x86-64-v3"
        )
    system, machine = here.system(), cpu.machine()
    if device is not None and device.cpu is not None:
        system, machine = device.system, platforms.machine_of(device.cpu.march)
    if system != "linux":
        raise WavestepError(
            f"no bundle can be for {target}: its install.sh is for Linux; copy the directory that "
            "--target alone makes"
        )
    if machine not in pins.MACHINES:
        raise WavestepError(
            f"no bundle can be for {machine}: the packages that wavestep needs are pinned for "
            f"{' and '.join(pins.MACHINES)}"
        )
    those = systems(device, machine)
    chosen = pythons(those, asked)
    try:
        find_cross_compiler(platforms.find(system, machine))
    except EngineUnavailable as reason:
        raise WavestepError(f"a bundle has the native engine compiled for it: {reason}") from reason
    return Bundle(
        place.checked(path),
        device.title if device is not None else HERE,
        device is not None and device.family == "jetson",
        machine,
        device.gpu.compute_capability if device is not None and device.gpu is not None else None,
        those,
        chosen,
    )
