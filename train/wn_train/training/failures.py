"""What a machine fails at while it trains, each as one line: memory, a compiler, a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist

from wn_runtime.errors import WavestepError


@contextmanager
def told() -> Iterator[None]:
    """Raise WavestepError for such a failure. Any other is a fault of ours and stays as it is."""
    try:
        yield
    except MemoryError as error:
        raise WavestepError(f"not enough memory ({str(error) or 'no more'}){_SMALLER}") from error
    except RuntimeError as error:
        line = _line(error)
        if line is None:
            raise
        raise WavestepError(line) from error


_SMALLER = "; a smaller training.batch_samples, or more of training.accumulate, needs less"
_COMPILERS = ("torch._dynamo", "torch._inductor")


def _line(error: RuntimeError) -> str | None:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    if isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error):
        return f"not enough memory ({reason}){_SMALLER}"
    if type(error).__module__.startswith(_COMPILERS):
        return f"torch.compile fails here ({reason}); set training.compile = false"
    if reason.startswith("CUDA error"):
        return f"the GPU fails ({reason})"
    if isinstance(error, dist.DistError) or "gloo" in str(error):
        return f"the processes of this run have lost each other ({reason})"
    return None
