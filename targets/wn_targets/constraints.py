"""What a target asks of an export, and the command that finishes it on the device."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.engines.cuda.costs import Gpu as CudaGpu
from wn_runtime.errors import WavestepError
from wn_runtime.system import here
from wn_targets.devices.catalogue import find
from wn_targets.devices.jetpack import JETPACKS, OLDEST_PYTHON
from wn_targets.devices.target import Target
from wn_targets.models.cuda import cuda_gpu
from wn_targets.models.registry import runs_cuda, runs_plans

OPSET = 17
"""ONNX operator set that TensorRT 10.3 (JetPack 6) to 11 all read without known faults."""

THIS_CPU = "cpu"
"""Names the CPU that the export itself runs on, in place of a target of the catalogue."""
BROWSER = "browser"
"""Names a page that plays the model, in place of one."""


@dataclass(frozen=True)
class GpuCode:
    """What the cuda engine is compiled ahead for."""

    target: str
    gpu: CudaGpu
    clock_mhz: float
    jetpacks: dict[str, int]
    """Releases that run it, oldest first, to their major version of CUDA; none for a card."""


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
    system: str
    """`linux`, `windows` or `macos`, to compile it for."""
    gpu_code: GpuCode | None
    """The GPU to compile the cuda engine ahead for; None where it does not run on the target."""
    command: str
    """What to run on the device once the model directory is there."""
    first: str
    """What the device needs before that; empty where its own software will do."""
    why: str
    """One line for the user."""


def this_cpu(directory: str) -> Constraints:
    """The constraints of this machine's own CPU, for it and for others of its kind."""
    why = "this machine's CPU: the native engine, which then needs no compiler"
    run = f"wn-run {directory}"
    return Constraints(THIS_CPU, OPSET, False, None, "native", here.system(), None, run, "", why)


def march_of(name: str | None) -> str:
    """The `-march` of a target's CPU by the target's name; None, or cpu, is this machine's.

    Raises WavestepError for an unknown target, one whose CPU is not known, and one without Linux.
    """
    if name is None or name == THIS_CPU:
        return "native"
    target = find(name, THIS_CPU)
    if target.cpu is None:
        raise WavestepError(f"the CPU beside {target.name} is not known; give another --target")
    if target.system != "linux":
        raise WavestepError(
            f"no library in C is compiled for {target.name} from here; leave --target out, and "
            "compile the wavestep.c in the folder there"
        )
    return target.cpu.march


def constraints(target: Target, directory: str) -> Constraints:
    """The constraints of `target` for a model directory called `directory`."""
    plan = runs_plans(target)
    half = plan and target.gpu is not None and "fp16" in target.gpu.precisions
    version, code = _tensorrt(target) if plan else None, gpu_code(target)
    why = f"{target.title}: "
    if code is not None:
        why += f"the cuda engine{_on(code)}, compiled ahead for sm_{code.gpu.sm}"
        why += f"; engine.plan takes TensorRT {version} or newer" if plan else ""
    elif plan and target.gpu is not None:
        why += f"TensorRT {version} or newer, compute capability {target.gpu.compute_capability}"
    else:
        why += "the native CPU engine"
        why += f"; {target.note}" if target.gpu is not None and target.note else ""
    build = plan and code is None
    run = f"wn-export {directory}{' --fp16' * half}" if build else f"wn-run {directory}"
    march = target.cpu.march if target.cpu is not None else None
    first = _python_first(target)
    return Constraints(
        target.name, OPSET, half, version, march, target.system, code, run, first, why
    )


def _python_first(target: Target) -> str:
    """How to come by a Python that is new enough, where no JetPack of the device has one."""
    releases = [JETPACKS[name] for name in target.jetpacks]
    if not releases or any(release.python_minor >= OLDEST_PYTHON for release in releases):
        return ""
    newest = releases[-1]
    return (
        f"Python 3.{OLDEST_PYTHON} or newer, JetPack {newest.version} has {newest.python}: "
        "`uv python install 3.12`, or Miniforge for aarch64"
    )


def gpu_code(target: Target) -> GpuCode | None:
    """What to compile the cuda engine ahead for; None where it does not run."""
    if target.gpu is None or not runs_cuda(target):
        return None
    releases = {name: JETPACKS[name] for name in target.jetpacks}
    cuda = {name: each.cuda_major for name, each in releases.items() if each.runs_cubins}
    return GpuCode(target.name, cuda_gpu(target, target.gpu), target.gpu.clock_mhz, cuda)


def _tensorrt(target: Target) -> str:
    """The oldest version that builds plans for a target that runs any."""
    if target.family != "jetson":
        return "10.3"
    return next(JETPACKS[v].tensorrt for v in target.jetpacks if JETPACKS[v].runs_plans)


def _on(code: GpuCode) -> str:
    """Of which software, on a Jetson."""
    if not code.jetpacks:
        return ""
    first = JETPACKS[next(iter(code.jetpacks))]
    extras = dict.fromkeys(f"{JETPACKS[name].extra}" for name in code.jetpacks)
    return f" (JetPack {first.version} or newer, extra {' or '.join(extras)})"
