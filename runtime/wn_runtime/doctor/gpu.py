"""What the GPU engines need: driver, NVRTC, TensorRT; on a Jetson also JetPack."""

from __future__ import annotations

import sys

from wn_runtime import extras
from wn_runtime.doctor.finding import MISSING, NONE, OK, WARN, Finding
from wn_runtime.doctor.machine import Machine
from wn_runtime.system import nvidia

_DRIVER = """
import ctypes, json
cuda = ctypes.CDLL("libcuda.so.1")
code = cuda.cuInit(0)
if code:
    raise SystemExit(f"cuInit answers {code}")
version, count = ctypes.c_int(), ctypes.c_int()
cuda.cuDriverGetVersion(ctypes.byref(version))
cuda.cuDeviceGetCount(ctypes.byref(count))
gpus = []
for device in range(count.value):
    name, value, size = ctypes.create_string_buffer(256), ctypes.c_int(), ctypes.c_size_t()
    cuda.cuDeviceGetName(name, 256, device)
    numbers = []
    for attribute in (75, 76):  # compute capability, major and minor
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        numbers.append(str(value.value))
    cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    gpus.append([name.value.decode(), ".".join(numbers), round(size.value / 1e9, 1)])
print(json.dumps({"cuda": version.value, "gpus": gpus}))
"""

_NVRTC = """
import json
import cuda.core
from cuda.bindings import nvrtc
code, major, minor = nvrtc.nvrtcVersion()
if int(code):
    raise SystemExit(f"nvrtcVersion answers {code}")
print(json.dumps({"version": f"{major}.{minor}"}))
"""

_TENSORRT = """
import json
product = "TensorRT"
try:
    import tensorrt as trt
except ModuleNotFoundError as missing:
    if missing.name != "tensorrt":
        raise
    product = "TensorRT-RTX"
    try:
        import tensorrt_rtx as trt
    except ModuleNotFoundError:
        try:
            import tensorrt_rtx_bindings as trt
        except ModuleNotFoundError:
            raise missing from None
print(json.dumps({"product": product, "version": trt.__version__}))
"""

OLDEST_CUDA = 12000
"""As the driver counts: 12.0, of driver 525 and newer."""
OLDEST, NEWEST = (10, 3), (11, 99)
"""TensorRT versions that the engine's code path covers."""


def jetson_model(machine: Machine) -> str | None:
    """What the device tree calls this board; None where it is no Jetson."""
    model = machine.read("/proc/device-tree/model") or ""
    tegra = machine.read("/etc/nv_tegra_release")
    if "Jetson" in model or tegra is not None:
        return model or "Jetson"
    return None


def jetpack(machine: Machine, jetson: str | None) -> Finding:
    """JetPack's version, on a Jetson."""
    if jetson is None:
        return Finding("JetPack", NONE, "not a Jetson")
    old = extras.old_jetpack(machine.read)
    if old:
        why = extras.why_no_gpu(machine.read)
        return Finding("JetPack", WARN, f"{why} ({jetson})", extras.NEWER_JETPACK)
    status, version = machine.run(["dpkg-query", "-W", "-f=${Version}", "nvidia-jetpack"])
    if status == 0 and version:
        return Finding("JetPack", OK, f"{version} on {jetson}")
    release = (machine.read("/etc/nv_tegra_release") or "no release file").splitlines()[0]
    return Finding(
        "JetPack",
        WARN,
        f"package nvidia-jetpack is not installed ({release.lstrip('# ')})",
        "sudo apt install nvidia-jetpack",
    )


def driver(machine: Machine) -> Finding:
    """The CUDA driver and the GPUs it sees."""
    subject = "NVIDIA driver"
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    found = machine.python(_DRIVER.replace("libcuda.so.1", library))
    fix = extras.install_driver(machine.read)
    if "error" in found:
        if library in found["error"]:
            return Finding(subject, MISSING, "not installed: no GPU engine", fix)
        return Finding(subject, MISSING, f"{found['error']}: no GPU engine", fix)
    cuda = f"CUDA {found['cuda'] // 1000}.{found['cuda'] % 1000 // 10}"
    if found["cuda"] < OLDEST_CUDA:
        return Finding(subject, MISSING, f"{cuda} is too old: 12 is needed, no GPU engine", fix)
    if not found["gpus"]:
        return Finding(subject, MISSING, f"{cuda}, but no GPU: no GPU engine", "check nvidia-smi")
    gpus = "; ".join(f"{name}, sm {sm}, {size} GB" for name, sm, size in found["gpus"])
    return Finding(subject, OK, f"{cuda}: {gpus}")


def possible(machine: Machine, jetson: str | None) -> bool:
    """Whether a GPU that the engines run on may be in this machine; True where nothing tells."""
    if extras.old_jetpack(machine.read):
        return False
    return nvidia.possible(
        machine.read, machine.pci_devices(), machine.architecture, jetson is not None
    )


def without(machine: Machine, finding: Finding) -> Finding:
    """A finding where no GPU is possible: what is missing there is of no concern."""
    if finding.state != MISSING:
        return finding
    old = extras.old_jetpack(machine.read)
    why = extras.why_no_gpu(machine.read) if old else "no NVIDIA GPU in this machine"
    return Finding(finding.subject, NONE, why)


def nvrtc(machine: Machine) -> Finding:
    """cuda-core and NVRTC, which compile our step kernel for the GPU."""
    found = machine.python(_NVRTC)
    if "error" in found:
        why = "not installed" if "No module named 'cuda" in found["error"] else found["error"]
        return Finding(
            "NVRTC",
            MISSING,
            f"{why}: no GPU engine but ONNX Runtime's",
            extras.install_nvrtc(machine.read),
        )
    newest = extras.cuda(machine.read)
    if newest is not None and int(found["version"].split(".")[0]) > newest:
        return Finding(
            "NVRTC",
            MISSING,
            f"{found['version']} compiles for CUDA 13, which this driver does not run",
            extras.install_nvrtc(machine.read),
        )
    return Finding("NVRTC", OK, f"{found['version']}, cuda-core {machine.version('cuda-core')}")


def tensorrt(machine: Machine, jetson: str | None) -> Finding:
    """TensorRT's Python package, or TensorRT-RTX's, and whether we build for its version."""
    found = machine.python(_TENSORRT)
    fix = extras.install_tensorrt(machine.read, machine.which)
    if "error" in found:
        missing = "No module named 'tensorrt'" in found["error"]
        why = "not installed" if missing else f"cannot be imported ({found['error']})"
        return Finding("TensorRT", MISSING, f"{why}: no tensorrt engine", fix)
    version = str(found["version"])
    if found["product"] == "TensorRT-RTX":
        return Finding("TensorRT", OK, f"TensorRT-RTX {version}: builds and runs plans of its own")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not OLDEST <= numbers <= NEWEST:
        wanted = "JetPack 6.1 or newer" if jetson else fix
        return Finding("TensorRT", MISSING, f"{version}: 10.3 to 11 is needed", wanted)
    return Finding("TensorRT", OK, version)
