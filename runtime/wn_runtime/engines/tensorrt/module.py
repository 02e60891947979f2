"""Finds TensorRT or TensorRT-RTX, and how to get it where it is missing. The only importer."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any, cast

from wn_runtime import extras, installation
from wn_runtime.engines.tensorrt.api import TensorRT
from wn_runtime.errors import EngineUnavailable
from wn_runtime.interrupts import Held

TENSORRT, RTX = "tensorrt", "tensorrt_rtx"
FLAVOURS = {TENSORRT: ("tensorrt",), RTX: ("tensorrt_rtx", "tensorrt_rtx_bindings")}
"""Each product, and the modules that may hold it. The plans of one do not run in the other."""
PRODUCTS = {TENSORRT: "TensorRT", RTX: "TensorRT-RTX"}
OLDEST = (10, 3)
"""TensorRT of JetPack 6.1, the oldest with strongly typed networks that the graphs are held to."""


def load(flavour: str) -> TensorRT:
    """Import `tensorrt` or `tensorrt_rtx`. Raises EngineUnavailable that says how to get it."""
    reason = "not installed"
    for name in FLAVOURS[flavour]:
        try:
            if importlib.util.find_spec(name) is None:
                continue
            with Held():
                module = importlib.import_module(name)
        except (ImportError, OSError) as error:  # its libraries are missing, or another CUDA's
            reason = f"cannot be loaded: {str(error).strip().splitlines()[0]}"
            continue
        found = cast(TensorRT, module)
        if flavour == TENSORRT and _numbers(found.__version__)[:2] < OLDEST:
            jetson = extras.jetpack(extras.read) is not None
            raise EngineUnavailable(
                f"TensorRT {found.__version__} is too old; wavestep needs 10.3 or newer: "
                f"{'flash JetPack 6.1 or newer' if jetson else how_to_get(flavour)}"
            )
        return found
    raise EngineUnavailable(f"{PRODUCTS[flavour]} is {reason}; {how_to_get(flavour)}")


def installed() -> str | None:
    """The product that can be imported here, TensorRT before TensorRT-RTX; None without both."""
    for flavour in FLAVOURS:
        try:
            load(flavour)
        except EngineUnavailable:
            continue
        return flavour
    return None


def how_to_get(flavour: str = TENSORRT) -> str:
    """What to type to have it on this kind of machine."""
    if flavour == RTX:
        cu = f"cu{extras.cuda(extras.read) or 13}"
        return installation.pip(f"tensorrt-rtx-{cu}-libs", f"tensorrt-rtx-{cu}-bindings")
    if not extras.gpu_possible(extras.read):
        return f"it needs an NVIDIA GPU, and {extras.why_no_gpu(extras.read)}: take another engine"
    return extras.install_tensorrt(extras.read)


class Messages:
    """Keeps TensorRT's complaints, for our own sentence, in place of its printing them."""

    def __init__(self, trt: TensorRT) -> None:
        self._last = ""
        errors = {int(trt.ILogger.INTERNAL_ERROR), int(trt.ILogger.ERROR)}

        def log(_: Any, severity: Any, msg: str) -> None:
            if int(severity) in errors:
                self._last = msg

        # Its class is known at run time only, hence no `class` statement.
        base = cast(type[Any], trt.ILogger)
        self.logger: Any = type("WavestepLogger", (base,), {"log": log})()

    def last(self, otherwise: object = "no reason given") -> str:
        """Its newest error, in one line; forgets it."""
        text, self._last = " ".join((self._last or str(otherwise)).split()), ""
        return text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def newer_or_same(version: str, than: str) -> bool:
    """Whether version `version` is `than` or a later one."""
    return _numbers(version) >= _numbers(than)
