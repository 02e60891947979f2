"""The engine in WebAssembly beside the native one: speed, samples and bits, of a model directory.

    python -m bench.browser.wasm digits/ [--seconds 0.25] [--rounds 30]

Both make the beginning of the reference's first clip again and again, in turns: the whole C API in
node, one thread, and the native engine with Python's conditioner, one thread. A figure is of CPU
time, in the turn that took least, because what else the machine does only ever adds to it. `same`
is how many samples of the whole clip are native's, from the first on; `bits` what one costs beyond
PyTorch's, teacher-forced, with the conditioner's weights as a page has them (in int8 eight bits).
Needs node, and `pip install 'wavestep[cc]'`.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

import wn_runtime
from tests.export.c_api.wasm_program import RELAXED, WasmProgram
from tests.export.site.node import NODE, SITE
from wn_export.c_api import wasm
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.model_file import Named, packed_model
from wn_export.package.site import page_weights
from wn_export.parity import reference
from wn_export.parity.expected import Clip, Reference
from wn_runtime.conditioning.conditioner import Bias, Conditioner, padded_frames
from wn_runtime.heads.head import Samples
from wn_runtime.model.package import ModelPackage

PRECISIONS = ("fp32", "bf16", "int8")
SEED = 1
SCRIPT = Path(__file__).with_name("wasm.mjs")


class InNode:
    """A module and a packed model in a node that makes the clip whenever it is asked to."""

    def __init__(self, folder: Path, clip: Clip) -> None:
        chosen = {name: value.split("+") for name, value in clip.conditions.items()}
        if clip.frames is not None:
            clip.frames[:, 0].astype("<f4").tofile(folder / "frames")
        plan = {"folder": str(folder), "chosen": chosen, "seed": SEED}
        plan["frames"] = clip.frames is not None
        assert NODE is not None
        self._node = subprocess.Popen(
            [NODE, *RELAXED, str(SCRIPT), SITE.as_uri(), json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._audio = folder / "audio"

    def turn(self, samples: int) -> float:
        """CPU seconds that so many samples of the clip took."""
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(f"{samples}\n")
        self._node.stdin.flush()
        return float(self._node.stdout.readline())

    def close(self) -> NDArray[np.float32]:
        """What it made the last time."""
        self._node.communicate()
        return np.fromfile(self._audio, "<f4")


def native_turn(model: wn_runtime.Model, clip: Clip, samples: int) -> tuple[float, Any]:
    """CPU seconds that the clip took, and what it sounds like."""
    stream = model.begin(dict(clip.conditions), SEED, 1.0)
    if clip.frames is not None:
        stream.push(clip.frames, last=True)
    began = time.process_time()
    audio = stream.read(samples)[:, 0]
    took = time.process_time() - began
    stream.close()
    return took, audio


def bits_beyond(
    program: WasmProgram, package: ModelPackage, known: Reference, precision: str
) -> float:
    """Of a sample of the first clip, beyond PyTorch's."""
    clip, head = known.clips[0], package.spec.output
    conditioner = Conditioner(package.spec, page_weights(package, precision))
    block = conditioner.timing.block
    whole = len(clip.samples) // block * block
    samples = clip.samples[:whole, None]
    uniforms = np.zeros((whole, 1, head.uniforms), np.int32)
    params, _ = program.run(samples, uniforms, bias_of(conditioner, clip, samples))
    return float(head.bits(params, samples).mean() - known.predictions[0].bits[:whole].mean())


def bias_of(conditioner: Conditioner, clip: Clip, samples: Samples) -> Bias:
    """Of so many samples (P, 1), whole blocks."""
    timing = conditioner.timing
    frames = None
    if clip.frames is not None:
        frames = padded_frames(clip.frames, timing.frames(len(samples)), conditioner.padding)
    state = conditioner.start({name: [value] for name, value in clip.conditions.items()}, 1)
    history = np.full((timing.block, 1), conditioner.silence, samples.dtype)
    rows = []
    for start in range(0, len(samples), timing.block):
        first = start // timing.hop
        needed = None if frames is None else frames[first : first + timing.frames(timing.block)]
        bias, state = conditioner.block(state, timing.block, needed, history)
        if bias is None:
            return None
        rows.append(bias)
        history = samples[start : start + timing.block]
    return np.concatenate(rows)


def rows_of(
    folder: Path, package: ModelPackage, precision: str, seconds: float, rounds: int
) -> list[str]:
    """A line for the native engine, and one for each build."""
    known = reference.load(package)
    clip = known.clips[0]
    samples = min(round(seconds * package.spec.sample_rate), len(clip.samples))
    shapes = HostShapes(package.spec, precision, package.weights)
    compiler = wasm.find_compiler()
    nodes: dict[str, InNode] = {}
    beyond: dict[str, float] = {}
    for build in wasm.BUILDS:
        place = folder / f"{precision}.{build}"
        program = WasmProgram(place, shapes.network, package.weights, build)
        beyond[build] = bits_beyond(program, package, known, precision)
        layout = wasm.compile_wasm(compiler, build, shapes, place / "engine.wasm")
        named = Named(package.manifest.name, 1.0)
        (place / "model.wn").write_bytes(packed_model(shapes, named, layout.tiles))
        nodes[build] = InNode(place, clip)
    with wn_runtime.open(package.directory, "native", precision, threads=1) as model:
        turns = [
            [native_turn(model, clip, samples)[0], *(node.turn(samples) for node in nodes.values())]
            for _ in range(rounds)
        ]
        every = len(clip.samples)
        audio = native_turn(model, clip, every)[1]
    best = samples / np.min(turns, axis=0)
    rate = package.spec.sample_rate
    lines = [f"{precision:6}native   {best[0]:10,.0f}{best[0] / rate:8.1f}"]
    for (build, node), speed in zip(nodes.items(), best[1:], strict=True):
        node.turn(every)
        differ = np.flatnonzero(node.close() != audio)
        same = differ[0] if len(differ) else every
        lines.append(
            f"{precision:6}{build:9}{speed:10,.0f}{speed / rate:8.1f}{speed / best[0]:10.2f}"
            f"{same:9,}/{every:,}{beyond[build]:+10.4f}"
        )
    return lines


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True))
@click.option("--seconds", default=0.25, help="Of sound a turn.")
@click.option("--rounds", default=30, help="Turns of each.")
def main(directory: Path, seconds: float, rounds: int) -> None:
    """Print the table."""
    package = ModelPackage(directory)
    print("      build     samples/s  x time  / native     same          bits")
    with tempfile.TemporaryDirectory() as scratch:
        for precision in PRECISIONS:
            for line in rows_of(Path(scratch), package, precision, seconds, rounds):
                print(line, flush=True)


if __name__ == "__main__":
    main()
