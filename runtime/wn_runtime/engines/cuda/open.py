"""Opens the cuda engine: from a cubin in the model directory, or compiled for this GPU by NVRTC."""

from __future__ import annotations

import dataclasses
import os

from wn_runtime.engines.cuda import cubin as cubins
from wn_runtime.engines.cuda.choose import VARIABLE, choose
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.cubin import Cubin, ThisGpu
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.cuda.source import source
from wn_runtime.engines.device_loop.allowance import NoSuchCluster, NotAtOnce
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import Request
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.package import ModelPackage


def open_engine(request: Request) -> Engine:
    """The engine for a request; its packed weights are those of the package's other engines.

    Raises EngineUnavailable without a GPU that can run the model, and where there is neither a
    cubin for it that is trusted nor NVRTC; WavestepError where a file is broken.
    """
    package, precision = request.package, request.chosen_precision()
    device = CudaDevice()
    try:
        here = this_gpu(device)
        if request.artifact is not None:
            named = cubins.checked(package, request.artifact, here)
            cubins.require_room(package, named, request.batch, here)
            cubins.require_trust(package, request.artifact)
            return _engine(request, device, named.schedule, named)
        found, reason = None, None
        if not os.environ.get(VARIABLE):
            found, reason = cubins.fitting(package, precision, request.batch, here)
        if found is not None:
            return _engine(request, device, found.schedule, found)
        try:
            return _compiled(request, device, precision, here.gpu)
        except EngineUnavailable as lacking:
            if reason is None:
                raise
            raise EngineUnavailable(f"{reason}; or {lacking}") from lacking
    except BaseException:
        device.close()
        raise


def _compiled(request: Request, device: CudaDevice, precision: str, gpu: Gpu) -> CudaEngine:
    """The engine in the schedule that is named, or in the cheapest that the GPU hosts."""
    schedule = choose(request.package.spec, precision, request.batch, gpu).schedule
    try:
        return _engine(request, device, schedule, None)
    except NoSuchCluster:
        if os.environ.get(VARIABLE):
            raise
        less = dataclasses.replace(gpu, largest_cluster=schedule.cluster - 1)
    except NotAtOnce:
        if os.environ.get(VARIABLE):
            raise
        less = dataclasses.replace(gpu, cooperative=False)
    return _compiled(request, device, precision, less)


def this_gpu(device: CudaDevice) -> ThisGpu:
    """What the choice of a schedule, and a cubin, ask of a device."""
    gpu = Gpu(
        device.compute_capability, device.multiprocessors, device.shared_bytes, device.l2_bytes
    )
    return ThisGpu(device.name, gpu, device.driver_cuda())


def _engine(
    request: Request, device: CudaDevice, schedule: Schedule, cubin: Cubin | None
) -> CudaEngine:
    package = request.package
    if cubin is not None:
        _prepare(package, device, cubin)
    key = ("cuda", schedule)
    packed = package.shared(key, lambda: pack(schedule, package.weights))
    return CudaEngine(device, schedule, request.batch, packed)


def _prepare(package: ModelPackage, device: CudaDevice, cubin: Cubin) -> None:
    """The bytes that were checked are the bytes that run: the file may be exchanged meanwhile."""
    file = cubin.artifact.file
    device.prepare(source(cubin.schedule), str(package.directory / file), package.read(file))
