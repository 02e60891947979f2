"""Small kernels on arrays of NumPy, for the tests of the stand-in itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.cuda_on_cpu.gpu import Misuse
from tests.cuda_on_cpu.kernels import Config, kernel

SEEDS = range(24)

Array = NDArray[Any]


def run(
    body: str,
    *arguments: Array | int,
    threads: int = 32,
    blocks: int = 1,
    cluster: int = 1,
    shared: int = 0,
    seed: int = 0,
    arch: str = "90",
    together: bool = False,
) -> None:
    """Launch a kernel whose arguments are the arrays a, b, … of bytes 4, or numbers.

    `body` sees `float *a` for an array of float32, `u32 *a` for any other, `long long a` for a
    number.
    """
    declared, words = [], []
    for name, argument in zip("abcdefgh", arguments, strict=False):
        if isinstance(argument, int):
            declared.append(f"long long {name}")
            words.append(argument)
        else:
            element = "float" if argument.dtype == np.float32 else "u32"
            declared.append(f"{element} *{name}")
            words.append(argument.ctypes.data)
    head = f'extern "C" __global__ void wn_test({", ".join(declared)})'
    source = head + " {\n    const int me = threadIdx.x;\n" + body + "\n}\n"
    found = kernel(source, "wn_test", arch)
    found.handle.non_portable_cluster = True
    found.run(Config(blocks, cluster, threads, shared, together), tuple(words), seed)


def always(check: Callable[[int], bool]) -> None:
    """Whatever the order of threads, `check(seed)` holds."""
    for seed in SEEDS:
        assert check(seed), f"seed {seed}"


def not_always(check: Callable[[int], bool]) -> None:
    """In some order of threads it does not, or the launch fails."""
    for seed in SEEDS:
        try:
            if not check(seed):
                return
        except Misuse:
            return
    pytest.fail("no order of threads shows it")
