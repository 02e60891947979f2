"""Several processes with one loss: what `torchrun` sets up, or a single process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from wn_runtime.errors import WavestepError


@dataclass(frozen=True)
class World:
    """One process among those that train together."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def sum(self, *values: float) -> list[float]:
        """Each value summed over the processes."""
        if self.size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64)
        if dist.get_backend() == "nccl":
            tensor = tensor.to(self.device)
        dist.all_reduce(tensor)
        return [float(value) for value in tensor]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return self.sum(float(flag))[0] > 0


@contextmanager
def world() -> Iterator[World]:
    """Join the processes that torchrun started: NCCL where there are GPUs, else gloo.

    Raises WavestepError where the environment is not torchrun's, or the others do not come.
    """
    gpu = torch.cuda.is_available()
    local, size = _number("LOCAL_RANK", 0), _number("WORLD_SIZE", 1)
    device = torch.device("cuda", local) if gpu else torch.device("cpu")
    if gpu and local >= torch.cuda.device_count():
        raise WavestepError(
            f"LOCAL_RANK is {local}; this machine has {torch.cuda.device_count()} GPUs"
        )
    if gpu:
        torch.cuda.set_device(device)
    if size <= 1:
        yield World(0, 1, device)
        return
    try:
        dist.init_process_group("nccl" if gpu else "gloo")
    except (ValueError, RuntimeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WavestepError(
            f"the {size} processes of WORLD_SIZE cannot meet ({reason}); start them with torchrun"
        ) from error
    try:
        yield World(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def _number(variable: str, otherwise: int) -> int:
    text = os.environ.get(variable, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WavestepError(f"{variable} is {text!r:.40}; it is torchrun's to set, a number")
    return int(text)
