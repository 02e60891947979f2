"""wavenet.c under AddressSanitizer and UndefinedBehaviorSanitizer, and on an emulated Arm CPU."""

import dataclasses
import shutil

import numpy as np
import pytest

from tests import oracle
from tests.runtime.engines.native.program import Program
from tests.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from wn_runtime.engines.native.shapes import PRECISIONS, Shapes

SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O0", "-g1")
ARM_GCC, QEMU, ARM_LIBC = "aarch64-linux-gnu-gcc", "qemu-aarch64", "/usr/aarch64-linux-gnu"
arm = pytest.mark.skipif(
    not (shutil.which(ARM_GCC) and shutil.which(QEMU)),
    reason="needs gcc-aarch64-linux-gnu and qemu-user",
)
needs_gcc = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
STEPS = 24
FAR = dataclasses.replace(CORNERS["uneven"], dilations=(3, 9, 1), residual=64)


def _run(program, spec, batch, seed=0, **settings):
    uniforms = np.random.default_rng(seed).random((STEPS, batch)).astype(np.float32)
    samples = random_samples(spec, STEPS, batch, seed)
    bias = random_bias(spec, batch, STEPS, seed)
    return program.run(samples, uniforms, bias, **settings)


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
def test_no_sanitizer_complains(tmp_path, precision, target, batch):
    spec = FAR
    weights = random_weights(spec)
    program = Program(tmp_path, Shapes(spec, precision, batch), weights, ("gcc", target, *SANITIZE))
    answer = _run(program, spec, batch)
    assert np.isfinite(answer.logits).all()
    assert answer.classes.min() >= 0
    assert answer.classes.max() < spec.classes
    # Uniforms at both ends of [0, 1) and argmax draw a class too.
    for uniform, temperature in ((0.0, 1.0), (1 - 2**-24, 1.0), (0.5, 0.0), (0.5, 1e-6)):
        uniforms = np.full((STEPS, batch), uniform, np.float32)
        samples = random_samples(spec, STEPS, batch)
        bias = random_bias(spec, batch)
        classes = program.run(samples, uniforms, bias, temperature).classes
        assert 0 <= classes.min() <= classes.max() < spec.classes


@needs_gcc
def test_the_sanitizers_do_see_a_read_out_of_bounds(tmp_path):
    spec = CORNERS["plain"]
    program = Program(
        tmp_path, Shapes(spec, "fp32", 1), random_weights(spec), ("gcc", "-DWN_PLAIN", *SANITIZE)
    )
    samples = np.full((STEPS, 1), 10**6, np.int32)  # library.py refuses such; the program does not
    with pytest.raises(AssertionError, match=r"Sanitizer|runtime error"):
        program.run(samples, np.zeros((STEPS, 1), np.float32))


@arm
@pytest.mark.parametrize(
    "target", ["-march=armv8-a", "-march=armv8.2-a+dotprod", "-DWN_PLAIN"], ids=str
)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_arm_gives_the_samples_of_this_cpu(tmp_path, precision, target):
    spec, batch = random_spec(3), 2
    weights = random_weights(spec)
    shapes = Shapes(spec, precision, batch)
    here = Program(tmp_path / "here", shapes, weights, ("gcc", "-march=native"))
    there = Program(
        tmp_path / "arm", shapes, weights, (ARM_GCC, target), (QEMU, "-cpu", "max", "-L", ARM_LIBC)
    )
    ours, theirs = _run(here, spec, batch), _run(there, spec, batch)
    np.testing.assert_allclose(theirs.logits, ours.logits, atol=2e-5)
    np.testing.assert_array_equal(theirs.classes, ours.classes)
    np.testing.assert_allclose(
        theirs.state.lines, ours.state.lines, atol=1e-5 if precision != "int8" else 1e-3
    )


@arm
def test_arm_is_within_parity_of_the_layer_equation(tmp_path):
    spec = CORNERS["kernel_3"]
    weights = random_weights(spec)
    program = Program(
        tmp_path, Shapes(spec, "fp32", 1), weights, (ARM_GCC,), (QEMU, "-L", ARM_LIBC)
    )
    answer = _run(program, spec, 1)
    expected = oracle.score(
        spec, weights, random_samples(spec, STEPS, 1), random_bias(spec, 1, STEPS)
    )
    assert np.abs(answer.logits - expected).max() <= 1e-5 * np.abs(expected).max()
