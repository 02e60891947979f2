"""Arm's product of matrices (i8mm), emulated: what its dot product makes, to the bit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.models.specs import random_weights
from tests.runtime.engines.native.models import SPECS
from tests.runtime.engines.native.program import Program
from tests.runtime.engines.native.test_program import ARM_GCC, ARM_LIBC, QEMU, STEPS, arm, run
from wn_runtime.engines.native import precompiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.state import DELAY_LINES

OBJDUMP = "aarch64-linux-gnu-objdump"
DOT, MATRICES = "armv8.2-a+dotprod", "armv8.2-a+dotprod+i8mm"


def built(folder: Path, shapes: Shapes, march: str) -> Program:
    command, emulator = (ARM_GCC, f"-march={march}"), (QEMU, "-cpu", "max", "-L", ARM_LIBC)
    return Program(folder / march, shapes, random_weights(shapes.spec), command, emulator)


@arm
@pytest.mark.parametrize(
    ("name", "batch", "march"),
    [
        ("wide", 1, MATRICES),  # more inputs than an int32 sums, and tiles that are not full
        ("wide", 5, "armv8.2-a+i8mm"),  # patches of four rows and of one; no dot product
        ("far", 1, MATRICES),  # taps of many steps, kept as integers
        ("far", 2, "armv9-a+i8mm+bf16"),  # with SVE2, which the compiler may use
    ],
)
def test_params_samples_and_state_are_those_of_the_dot_product(
    tmp_path: Path, name: str, batch: int, march: str
) -> None:
    shapes = Shapes(SPECS[name], "int8", batch)
    dot, matrices = (built(tmp_path, shapes, each) for each in (DOT, march))
    for rows in (STEPS // 8, STEPS):
        expected, found = (run(program, shapes.spec, batch, rows) for program in (dot, matrices))
        np.testing.assert_array_equal(found.params, expected.params)
        np.testing.assert_array_equal(found.samples, expected.samples)
        np.testing.assert_array_equal(found.state[DELAY_LINES], expected.state[DELAY_LINES])


@pytest.mark.skipif(
    not (shutil.which(ARM_GCC) and shutil.which(OBJDUMP)), reason="needs gcc-aarch64-linux-gnu"
)
@pytest.mark.parametrize(
    ("march", "instruction", "other", "features"),
    [
        (DOT, "sdot", "smmla", ["asimddp"]),
        (MATRICES, "smmla", "sdot", ["asimddp", "i8mm"]),
        ("armv8.4-a+dotprod+bf16+i8mm", "smmla", "sdot", ["asimddp", "i8mm"]),
        ("armv9-a+i8mm+bf16", "smmla", "sdot", ["asimddp", "i8mm"]),
    ],
)
def test_the_instruction_is_in_the_library_of_a_cpu_that_has_it(
    tmp_path: Path, march: str, instruction: str, other: str, features: list[str]
) -> None:
    path = tmp_path / "arm.so"
    made = precompiled.precompile(SPECS["wide"], "int8", march, 1, path)
    assert set(features) <= set(made.built["features"])
    code = subprocess.run([OBJDUMP, "-d", path], capture_output=True, text=True, check=True).stdout
    assert f"\t{instruction}\t" in code
    assert f"\t{other}\t" not in code
