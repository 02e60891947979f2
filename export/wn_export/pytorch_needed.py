"""One line for those who have no PyTorch: only what reads a checkpoint imports it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from wn_runtime.errors import WavestepError


@contextmanager
def pytorch_needed(what: str) -> Iterator[None]:
    """Around imports that end in torch's. Raises WavestepError, "<what> needs torch", for none."""
    try:
        yield
    except ImportError as error:
        raise WavestepError(
            f"{what} needs torch ({error}); pip install 'wavestep[train]'"
        ) from error
