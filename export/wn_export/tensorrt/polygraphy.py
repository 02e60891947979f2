"""Polygraphy, whose loaders take every TensorRT from 10.3 to 11 and TensorRT-RTX alike."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from wn_runtime import extras
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.engines.tensorrt.api import TensorRT
from wn_runtime.engines.tensorrt.module import Messages
from wn_runtime.errors import EngineUnavailable, WavestepError


def loaders(trt: TensorRT, flavour: str) -> Any:
    """Polygraphy's loaders, bound to TensorRT or TensorRT-RTX: it binds once a process.

    Raises EngineUnavailable without Polygraphy, WavestepError where it is bound to the other.
    """
    rtx = flavour == trt_module.RTX
    try:
        config = cast(Any, importlib.import_module("polygraphy.config"))
    except ImportError as error:
        raise EngineUnavailable(
            f"Polygraphy cannot be imported ({error}); {extras.install('tensorrt')}"
        ) from error
    bound = "polygraphy.backend.trt" in sys.modules
    if bound and bool(config.USE_TENSORRT_RTX) != rtx:
        raise WavestepError(
            "this process has built with the other of TensorRT and TensorRT-RTX already; build "
            "in a process of its own"
        )
    config.USE_TENSORRT_RTX = rtx
    if rtx:  # the bindings' wheel has it under another name than Polygraphy asks for
        sys.modules.setdefault("tensorrt_rtx", cast(Any, trt))
    return importlib.import_module("polygraphy.backend.trt")


@contextmanager
def quiet(messages: Messages) -> Iterator[None]:
    """Polygraphy without its log, and TensorRT's complaints in `messages`."""
    logger = importlib.import_module("polygraphy.logger").G_LOGGER
    util = cast(Any, importlib.import_module("polygraphy.backend.trt.util"))
    before = util.TRT_LOGGER
    util.TRT_LOGGER = messages.logger
    try:
        with logger.verbosity(logger.CRITICAL + 1), warnings.catch_warnings():
            # What Polygraphy calls is its business; a warning raised as an error breaks pybind11.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        util.TRT_LOGGER = before
