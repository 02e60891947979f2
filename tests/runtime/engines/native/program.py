"""wavenet.c compiled as a program (driver.c), to run under sanitizers and emulators."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import AnyBias
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.engines.engine import Temperature
from wn_runtime.engines.native import compiler
from wn_runtime.engines.native.pack import Tiles, pack
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.model.layout import initial
from wn_runtime.model.state import DELAY_LINES, SAMPLES, State
from wn_runtime.model.weights import Weights


@dataclass(frozen=True)
class Output:
    """What one run wrote."""

    params: NDArray[np.float32]
    """Of the samples given."""
    samples: Samples
    """Those drawn from the same state."""
    state: State
    """After them."""
    missed: int
    """Shares that helpers came too late for, of both."""


class Program:
    """One executable of one set of shapes."""

    def __init__(
        self,
        directory: Path,
        shapes: Shapes,
        weights: Weights,
        command: Sequence[str] = ("gcc",),
        emulator: Sequence[str] = (),
    ) -> None:
        """command: the C compiler with its flags. emulator: what runs the executable."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "shapes.h").write_text(shapes.header())
        (directory / "head.h").write_text(shapes.head_source())
        flags = [flag for flag in compiler.FLAGS if flag not in ("-shared", "-fPIC")]
        driver = Path(__file__).with_name("driver.c")
        include = ["-I", str(directory), "-I", str(compiler.SOURCE)]
        self._command = [*emulator, str(directory / "driver")]
        self._shapes, self._directory = shapes, directory
        compile_ = [
            command[0],
            *flags,
            *command[1:],
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pthread",
            *include,
            str(driver),
        ]
        subprocess.run([*compile_, "-o", str(directory / "driver")], check=True, timeout=300)
        told = subprocess.run(self._command, check=True, capture_output=True, text=True)
        *tiles, model_bytes, _ = map(int, told.stdout.split())
        model = pack(shapes.spec, weights, shapes.precision, Tiles(*tiles))
        assert model.nbytes == model_bytes
        (directory / "model").write_bytes(model.tobytes())

    def run(
        self,
        samples: Samples,
        uniforms: NDArray[np.int32],
        bias: AnyBias = None,
        temperature: Temperature = 1.0,
        helpers: int = 0,
    ) -> Output:
        """Score samples (T, B) from silence, then generate from there with uniforms (T, B, U).

        helpers: threads beside the one that calls, at most.
        """
        spec, batch, steps = self._shapes.spec, self._shapes.batch, len(samples)
        state, head = initial(spec, batch), spec.output
        rows, mix = (bias.rows, bias.mix) if isinstance(bias, Mixed) else (bias, None)
        count, parts = 1 if rows is None else len(rows), 0 if mix is None else mix.shape[2]
        plan = np.array([steps, count, rows is not None, parts, helpers], np.int32)
        inverse = inverse_temperatures(temperature, batch)
        arrays = [plan, inverse, state[SAMPLES], state[DELAY_LINES], rows, mix, uniforms, samples]
        data = b"".join(np.ascontiguousarray(p).tobytes() for p in arrays if p is not None)
        (self._directory / "in").write_bytes(data)
        files = [str(self._directory / name) for name in ("model", "in", "out")]
        done = subprocess.run(
            [*self._command, *files], capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        out = (self._directory / "out").read_bytes()
        position = 0

        def take(like: NDArray[Any]) -> NDArray[Any]:
            nonlocal position
            position += like.nbytes
            data = out[position - like.nbytes : position]
            return np.frombuffer(data, like.dtype).reshape(like.shape)

        output = Output(
            take(np.empty((steps, batch, head.params), np.float32)),
            take(np.empty((steps, batch), head.sample_dtype)),
            {name: take(state[name]) for name in (SAMPLES, DELAY_LINES)},
            int(done.stdout),
        )
        assert position == len(out)
        return output
