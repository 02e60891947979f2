"""Failures of the machine are one line; a fault of ours keeps its traceback."""

from __future__ import annotations

import pytest
import torch

from wn_runtime.errors import WavestepError
from wn_train.training.failures import told

Compiler = type("InductorError", (RuntimeError,), {"__module__": "torch._inductor.exc"})


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), r"not enough memory \(no more\); a smaller training.batch_samples"),
        (
            torch.cuda.OutOfMemoryError("CUDA out of memory.\nTried"),
            "not enough memory .*batch_sam",
        ),
        (RuntimeError("[enforce] can't allocate memory: you tried"), "not enough memory"),
        (Compiler("No working C++ compiler found\nsee"), r"torch.compile fails here \(No working"),
        (
            RuntimeError("CUDA error: device lost\nhint"),
            r"the GPU fails \(CUDA error: device lost\)",
        ),
        (RuntimeError("[/gloo/transport] Connection closed"), "have lost each other"),
    ],
)
def test_a_failure_of_the_machine_is_one_line(error: Exception, message: str) -> None:
    with pytest.raises(WavestepError, match=message) as told_error, told():
        raise error
    assert "\n" not in str(told_error.value)


def test_memory_that_the_system_refuses_is_one_line() -> None:
    with pytest.raises(WavestepError, match="not enough memory"), told():
        torch.empty(2**60, dtype=torch.uint8)


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="shapes do not match"), told():
        raise RuntimeError("shapes do not match")
