"""wavenet.c alone as a WebAssembly module, scored and made to generate through node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.export.site.node import NODE
from wn_export.c_api import wasm
from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.native.compiler import SOURCE
from wn_runtime.engines.native.pack import Tiles, pack
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.model.layout import initial
from wn_runtime.model.state import DELAY_LINES, SAMPLES
from wn_runtime.model.weights import Weights

DRIVER = Path(__file__).with_name("wavenet.mjs")


class WasmProgram:
    """One module of one set of shapes."""

    def __init__(self, folder: Path, shapes: Shapes, weights: Weights, build: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shapes.h").write_text(shapes.header())
        (folder / "head.h").write_text(shapes.head_source())
        self._shapes, self._folder, self._weights = shapes, folder, weights
        compiler = wasm.find_compiler()
        command = [*compiler.command, *wasm.flags(compiler, build), "-DWN_ALONE"]
        command += ["-I", str(folder), "-I", str(SOURCE), str(SOURCE / "wavenet.c")]
        subprocess.run(
            [*command, "-o", str(folder / "wavenet.wasm")],
            check=True,
            timeout=300,
            env=compiler.environment(folder / "kept"),
        )
        self._tiles = Tiles(*map(int, self._node("tiles").split()))

    def run(
        self, samples: Samples, uniforms: NDArray[np.int32], bias: Bias, temperature: float = 1.0
    ) -> tuple[NDArray[np.float32], Samples]:
        """The params of samples (T, B) from silence, and as many drawn from there."""
        spec, batch, steps = self._shapes.spec, self._shapes.batch, len(samples)
        state, rows = initial(spec, batch), 1 if bias is None else len(bias)
        parts = {
            "model": pack(spec, self._weights, self._shapes.precision, self._tiles),
            "window": state[SAMPLES],
            "lines": state[DELAY_LINES],
            "bias": np.zeros(0, np.float32) if bias is None else bias,
            "inverse": inverse_temperatures(temperature, batch),
            "uniforms": uniforms,
            "samples": samples,
            "params": np.zeros((steps, batch, spec.output.params), np.float32),
            "drawn": np.zeros_like(samples),
        }
        for name, array in parts.items():
            (self._folder / name).write_bytes(np.ascontiguousarray(array).tobytes())
        self._node("run", str(steps), str(rows))
        params, drawn = (
            np.frombuffer((self._folder / name).read_bytes(), parts[name].dtype)
            for name in ("params", "drawn")
        )
        return params.reshape(parts["params"].shape), drawn.reshape(samples.shape)

    def _node(self, *words: str) -> str:
        assert NODE is not None
        command = [NODE, *RELAXED, str(DRIVER), str(self._folder), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _relaxed() -> tuple[str, ...]:
    """What node wants to be told before it has relaxed SIMD; newer ones have it unasked."""
    flag = "--experimental-wasm-relaxed-simd"
    if NODE is None:
        return ()
    asked = subprocess.run([NODE, flag, "-e", ""], capture_output=True, check=False)
    return (flag,) if asked.returncode == 0 else ()


RELAXED = _relaxed()
