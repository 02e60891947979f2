"""wavenet.c compiled as a program (driver.c), to run under sanitizers and emulators."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_runtime.engines.engine import State, initial_state
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native.pack import pack
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.weights import Weights


@dataclass(frozen=True)
class Answer:
    """What one run wrote."""

    logits: NDArray[np.float32]
    classes: NDArray[np.int32]
    state: State
    stderr: str


class Program:
    """One executable of one set of shapes."""

    def __init__(
        self,
        directory: Path,
        shapes: Shapes,
        weights: Weights,
        compiler: Sequence[str] = ("gcc",),
        emulator: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "shapes.h").write_text(shapes.header())
        flags = [flag for flag in build.FLAGS if flag not in ("-shared", "-fPIC")]
        driver = Path(__file__).with_name("driver.c")
        include = ["-I", str(directory), "-I", str(build.SOURCE)]
        self._command = [*emulator, str(directory / "driver")]
        self._shapes, self._directory = shapes, directory
        command = [*compiler, *flags, "-Wall", "-Wextra", "-Werror", *include, str(driver)]
        subprocess.run([*command, "-o", str(directory / "driver")], check=True, timeout=300)
        answer = subprocess.run(self._command, check=True, capture_output=True, text=True)
        tile, model_bytes, _ = map(int, answer.stdout.split())
        model = pack(shapes.spec, weights, shapes.precision, tile)
        assert model.nbytes == model_bytes
        (directory / "model").write_bytes(model.tobytes())

    def run(
        self,
        samples: NDArray[np.int32],
        uniforms: NDArray[np.float32],
        bias: NDArray[np.float32] | None = None,
        temperature: float = 1.0,
        state: State | None = None,
        before: Sequence[str] = (),
    ) -> Answer:
        """Score samples (T, B), then generate from the same state with uniforms (T, B)."""
        spec, batch, steps = self._shapes.spec, self._shapes.batch, len(samples)
        state = state or initial_state(spec, batch)
        plan = np.array([steps, 1 if bias is None else len(bias), bias is not None], np.int32)
        inverse = np.array([0 if temperature == 0 else 1 / temperature], np.float32)
        parts = [plan, inverse, state.samples, state.lines, bias, uniforms, samples]
        data = b"".join(np.ascontiguousarray(p).tobytes() for p in parts if p is not None)
        (self._directory / "in").write_bytes(data)
        files = [str(self._directory / name) for name in ("model", "in", "out")]
        done = subprocess.run(
            [*before, *self._command, *files], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        out = (self._directory / "out").read_bytes()
        position = 0

        def take(kind: type, *shape: int) -> NDArray:
            nonlocal position
            size = int(np.prod(shape)) * 4
            position += size
            return np.frombuffer(out[position - size : position], kind).reshape(shape)

        answer = Answer(
            take(np.float32, steps, batch, spec.classes),
            take(np.int32, steps, batch),
            State(
                take(np.int32, spec.input_kernel, batch),
                take(np.float32, spec.state_rows, batch, spec.residual),
            ),
            done.stderr,
        )
        assert position == len(out)
        return answer
