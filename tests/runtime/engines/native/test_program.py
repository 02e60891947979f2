"""wavenet.c under AddressSanitizer and UndefinedBehaviorSanitizer, and on an emulated Arm CPU."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.law import oracle
from tests.models.specs import (
    CORNERS,
    random_bias,
    random_samples,
    random_spec,
    random_uniforms,
    random_weights,
)
from tests.runtime.engines.native.program import Output, Program
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import DELAY_LINES

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g1")
ARM_GCC, QEMU, ARM_LIBC = "aarch64-linux-gnu-gcc", "qemu-aarch64", "/usr/aarch64-linux-gnu"
arm = pytest.mark.skipif(
    not (shutil.which(ARM_GCC) and shutil.which(QEMU)),
    reason="needs gcc-aarch64-linux-gnu and qemu-user",
)
needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
STEPS = 24
FAR = dataclasses.replace(CORNERS["uneven"], dilations=(3, 9, 1), residual_channels=64)


def run(program: Program, spec: ModelSpec, batch: int, rows: int = STEPS) -> Output:
    samples, uniforms = random_samples(spec, STEPS, batch), random_uniforms(STEPS, batch)
    temperatures = [[1.0, 0.5, 0.0][b % 3] for b in range(batch)]
    return program.run(samples, uniforms, random_bias(spec, batch, rows), temperatures)


@needs_gcc
@pytest.mark.parametrize(
    ("precision", "target", "batch"),
    [
        ("fp32", "-march=native", 1),
        ("bf16", "-march=native", 1),
        ("int8", "-march=native", 1),
        ("int8", "-march=native", 5),
        ("int8", "-DWN_PLAIN", 1),
        ("fp32", "-DWN_PLAIN", 3),
    ],
)
@pytest.mark.slow
def test_no_sanitizer_complains(tmp_path: Path, precision: str, target: str, batch: int) -> None:
    spec, weights = FAR, random_weights(FAR)
    program = Program(tmp_path, Shapes(spec, precision, batch), weights, ("gcc", target, *SANITIZE))
    for rows in (STEPS // 8, STEPS):
        output = run(program, spec, batch, rows)
        assert np.isfinite(output.params).all()
        spec.output.check(output.samples)
    # Uniforms at both ends and argmax draw a class too.
    samples, bias = random_samples(spec, STEPS, batch), random_bias(spec, batch)
    uniforms = np.zeros((STEPS, batch, 1), np.int32)
    uniforms[::2] = 2**24 - 1
    for temperature in (1.0, 1e-6, 0.0):
        spec.output.check(program.run(samples, uniforms, bias, temperature).samples)


@needs_gcc
def test_the_sanitizers_do_see_a_read_out_of_bounds(tmp_path: Path) -> None:
    spec = CORNERS["plain"]
    program = Program(
        tmp_path, Shapes(spec, "fp32", 1), random_weights(spec), ("gcc", "-DWN_PLAIN", *SANITIZE)
    )
    samples = np.full((STEPS, 1), 10**6, np.int32)  # library.py refuses such; the program does not
    with pytest.raises(AssertionError, match=r"Sanitizer|runtime error"):
        program.run(samples, random_uniforms(STEPS))


@arm
@needs_gcc
@pytest.mark.parametrize(
    "target",
    ["-march=armv8-a", "-march=armv8.2-a+dotprod", "-march=armv8.6-a", "-DWN_PLAIN"],
)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_arm_gives_the_samples_of_this_cpu(tmp_path: Path, precision: str, target: str) -> None:
    spec, batch = random_spec(3), 2
    weights, shapes = random_weights(spec), Shapes(spec, precision, batch)
    here = Program(tmp_path / "here", shapes, weights, ("gcc", "-march=native"))
    there = Program(
        tmp_path / "arm", shapes, weights, (ARM_GCC, target), (QEMU, "-cpu", "max", "-L", ARM_LIBC)
    )
    ours, theirs = run(here, spec, batch), run(there, spec, batch)
    np.testing.assert_allclose(theirs.params, ours.params, atol=2e-5)
    np.testing.assert_array_equal(theirs.samples, ours.samples)
    tolerance = 1e-5 if precision != "int8" else 1e-3
    np.testing.assert_allclose(theirs.state[DELAY_LINES], ours.state[DELAY_LINES], atol=tolerance)


@arm
def test_arm_is_within_parity_of_the_layer_equation(tmp_path: Path) -> None:
    spec = CORNERS["kernel_3"]
    weights = random_weights(spec)
    program = Program(
        tmp_path, Shapes(spec, "fp32", 1), weights, (ARM_GCC,), (QEMU, "-L", ARM_LIBC)
    )
    output = run(program, spec, 1)
    samples, bias = random_samples(spec, STEPS, 1), random_bias(spec, 1, STEPS)
    expected = oracle.score(spec, weights, samples, bias)
    assert np.abs(output.params - expected).max() <= 1e-5 * np.abs(expected).max()
