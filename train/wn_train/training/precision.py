"""In which type the products of a training are made."""

from __future__ import annotations

import functools

import torch

from wn_runtime.system import cpu

_OF_CPUS = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
"""The features by which CPUs multiply bfloat16, as PyTorch and Linux name them."""


def in_bf16(precision: str, device: torch.device) -> bool:
    """Whether a training of that precision, of `TrainingConfig`, multiplies in bfloat16 there.

    A CPU without such products imitates them, which takes 13 times as long as float32 on a Zen 3
    (`python -m bench.training.speed`): there "bf16" is float32.
    """
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return precision == "bf16" and (device.type != "cpu" or _cpu_has_bf16())


def in_words(precision: str, device: torch.device) -> str:
    """What to tell who asked for another precision than is used there; nothing where it is used."""
    if precision != "bf16" or in_bf16(precision, device):
        return ""
    return "precision bf16: this CPU has no bfloat16 products, so it is float32, which is faster"


@functools.cache
def _cpu_has_bf16() -> bool:
    """Where nothing is known of the CPU, it is taken to have what was asked for."""
    if hasattr(torch.cpu, "get_capabilities"):  # newer than the oldest torch that we take
        known = {name for name, has in torch.cpu.get_capabilities().items() if has is True}
    else:
        known = set(cpu.features())
    return not known or not known.isdisjoint(_OF_CPUS)
