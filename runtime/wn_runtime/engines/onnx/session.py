"""Sessions of ONNX Runtime: the one place that makes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from wn_runtime import extras, installation
from wn_runtime.engines.onnx.arena import bound
from wn_runtime.engines.onnx.graph_check import check_graph
from wn_runtime.engines.step_signature import Signature, Tensor
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.interrupts import Held

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_TYPES = {
    "tensor(int32)": "int32",
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
}


def open_session(
    graph: bytes,
    what: str,
    provider: str = CPU,
    threads: int = 1,
    stream: int | None = None,
    loops: bool = False,
) -> Any:
    """A session of `graph`, called `what` in messages, on one provider and no other.

    stream: a CUDA stream that it is to work on. loops: whether it may loop; its time is then to be
    bounded (`watch.py`). Raises EngineUnavailable without ONNX Runtime or
    the provider, WavestepError for a graph that cannot be loaded, or does more than to compute.
    """
    # Since 1.29 it would tell its maker, over the network, of every model that is opened.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        with Held():
            import onnxruntime as ort
    except ImportError as error:
        on_gpu = provider == CUDA
        fix = extras.install_onnxruntime_gpu() if on_gpu else installation.install("onnx")
        raise EngineUnavailable(f"ONNX Runtime cannot be imported ({error}); {fix}") from error
    if provider not in ort.get_available_providers():
        raise EngineUnavailable(
            f"ONNX Runtime here has no {provider}; {extras.install_onnxruntime_gpu()} in an "
            "environment without onnxruntime"
        )
    check_graph(graph, what, loops)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # its complaints come as exceptions
    options.add_session_config_entry("session.load_model_format", "ONNX")  # what was checked
    bound(options, graph, ort)
    # Not session.set_denormal_as_zero: it would change the caller's own arithmetic for good.
    settings = {} if stream is None else {"user_compute_stream": str(stream)}
    try:
        session = ort.InferenceSession(graph, options, providers=[(provider, settings)])
    except Exception as error:  # ONNX Runtime's exceptions share no base class
        raise WavestepError(
            f"ONNX Runtime {ort.__version__} cannot load {what} ({reason(error)}); export the "
            "model again"
        ) from error
    if provider not in session.get_providers():  # ONNX Runtime falls back without an exception
        raise EngineUnavailable(f"ONNX Runtime could not start {provider} (no device or driver?)")
    return session


@contextlib.contextmanager
def telling(what: str) -> Iterator[None]:
    """What ONNX Runtime raises while it runs a graph, as one line."""
    try:
        yield
    except WavestepError:
        raise
    except Exception as error:  # its exceptions share no base class
        raise WavestepError(
            f"ONNX Runtime failed to run {what} ({reason(error)}); export the model again"
        ) from error


def reason(error: Exception) -> str:
    """The last line of what ONNX Runtime says, which is the one that tells; at most 200 letters."""
    lines = str(error).strip().splitlines()
    return lines[-1][:200] if lines else type(error).__name__


def check_signature(session: Any, signature: Signature, what: str) -> None:
    """Raise WavestepError unless the session's graph has the signature's inputs and outputs."""
    signature.check(tensors(session.get_inputs()), tensors(session.get_outputs()), what)


def tensors(values: Any) -> dict[str, Tensor]:
    """A session's inputs or outputs as our own; those of other element types are objects."""
    import numpy as np

    found = {}
    for value in values:
        shape, rows = tuple(value.shape or ()), ""
        if shape and isinstance(shape[0], str):
            rows, *rest = shape
            shape = tuple(rest)
        found[value.name] = Tensor(shape, np.dtype(_TYPES.get(value.type, "O")), rows)
    return found
