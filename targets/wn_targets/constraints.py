"""What a target asks of an export, and the command that finishes it on the device."""

from __future__ import annotations

from dataclasses import dataclass

from wn_targets.devices.jetpack import JETPACKS
from wn_targets.devices.target import Target
from wn_targets.models.registry import runs_plans

OPSET = 17
"""ONNX operator set that TensorRT 10.3 (JetPack 6) to 11 all read without known faults."""

THIS_CPU = "cpu"
"""Names the CPU that the export itself runs on, in place of a target of the catalogue."""


@dataclass(frozen=True)
class Constraints:
    """How to export for one target."""

    target: str
    opset: int
    """ONNX operator set of the step graph."""
    fp16: bool
    """Whether to write the half-precision graph."""
    tensorrt: str | None
    """The oldest TensorRT the target's plan must build with; None where it can run none."""
    march: str | None
    """`-march` to compile the native engine ahead for; None for a graphics card's unknown host."""
    command: str
    """What to run on the device once the model directory is there."""
    why: str
    """One line for the user."""


def this_cpu(directory: str) -> Constraints:
    """The constraints of this machine's own CPU, for it and for others of its kind."""
    why = "this machine's CPU: the native engine, which then needs no compiler"
    return Constraints(THIS_CPU, OPSET, False, None, "native", f"wn-run {directory}", why)


def constraints(target: Target, directory: str) -> Constraints:
    """The constraints of `target` for a model directory called `directory`."""
    plan = runs_plans(target)
    half = plan and target.gpu is not None and "fp16" in target.gpu.precisions
    flag = " --fp16" if half else ""
    if not plan:
        version, why = None, f"{target.title}: the native CPU engine"
        if target.gpu is not None:
            why += f"; {target.note}" if target.note else ""
    elif target.family == "jetson":
        first = next(JETPACKS[v] for v in target.jetpacks if JETPACKS[v].runs_plans)
        version = first.tensorrt
        why = f"{target.title}: TensorRT {version} (JetPack {first.version}, "
        why += f"wavestep[{first.extra}]) or newer"
    else:
        version = "10.3"
        why = f"{target.title}: TensorRT {version} or newer, compute capability " + (
            target.gpu.compute_capability if target.gpu else ""
        )
    run = f"wn-export {directory}{flag}" if plan else f"wn-run {directory}"
    march = target.cpu.march if target.cpu is not None else None
    return Constraints(target.name, OPSET, half, version, march, run, why)
