"""What local conditioning costs beside the generation that it conditions, on one core.

    export OPENBLAS_NUM_THREADS=1
    taskset -c 0 python -m bench.conditioning.local [--turns 200] [--out FILE]

The model is L20 R64 S128 in int8, the frames are mel spectra: 80 channels, a frame network of two
3-tap kernels of 64.

    share     of a stream's time that its conditioner takes, call by call as a stream makes them:
              frames that arrive one by one, and ten a call, as where all frames are there. The
              median of the calls; the conditioner finds its weights where generation left them.
    native    samples per second with the rows of such frames, with one constant row, and of the
              same network without conditioning; they take turns in one process, and a figure is
              the fastest block of each, because what else the machine does only ever adds time.
    bias      bytes of rows that a sample takes from what the conditioner made (a row is read once,
              when its span begins, and added to the gates' own bias, which a model without
              conditioning reads at every sample, too), and their share of the weights' bytes.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from bench.models import random_weights
from bench.native.speed import weight_bytes
from bench.repository import invocation
from wn_export.bench.machine import machine_facts
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.frames import UPSAMPLINGS
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.conditioning.config import FramesConfig

HOPS, CHANNELS = (80, 200, 256), 80
MANY, BLOCK = 10, 200
"""Frames of a long call; samples, at least, of a block that is timed."""
DILATIONS = tuple(2 ** (layer % 10) for layer in range(20))
Way = Callable[[], object]


def spec_of(hop: int | None, upsampling: str = "") -> ModelSpec:
    """The model, with local conditioning or without."""
    local = () if hop is None else (FramesConfig(hop, upsampling=upsampling).spec(CHANNELS),)
    return ModelSpec(
        16000,
        DILATIONS,
        residual_channels=64,
        gate_channels=128,
        skip_channels=128,
        conditioning=local,
    )


def frames_of(conditioner: Conditioner, samples: int) -> NDArray[np.float32]:
    """(F, 1, C) for so many samples."""
    timing = conditioner.timing
    shape = (timing.frames(samples), 1, timing.frame_channels)
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def share(conditioner: Conditioner, engine: NativeEngine, frames: int, turns: int) -> float:
    """Of the time of blocks of so many frames, what making their bias takes."""
    samples = frames * conditioner.timing.hop
    given, drawn = frames_of(conditioner, samples), uniforms(0, 1, samples)
    state, shares = conditioner.start({}, 1), []
    for _ in range(turns):
        began = time.perf_counter()
        bias, state = conditioner.block(state, samples, given)
        made = time.perf_counter()
        engine.generate(bias, drawn)
        shares.append((made - began) / (time.perf_counter() - began))
    return statistics.median(shares)


def generating(engine: NativeEngine, bias: NDArray[np.float32] | None, samples: int) -> Way:
    """Makes so many samples."""
    drawn = uniforms(0, 1, samples)
    return lambda: engine.generate(bias, drawn)


def fastest(ways: list[Way], turns: int) -> list[float]:
    """Seconds of the fastest turn of each."""
    best = [np.inf] * len(ways)
    for _ in range(turns + 1):
        for i, way in enumerate(ways):
            began = time.perf_counter()
            way()
            best[i] = min(best[i], time.perf_counter() - began)
    return best


@click.command()
@click.option("--turns", type=click.IntRange(min=4), default=200, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the table there, too.")
def main(turns: int, out: Path | None) -> None:
    """Print the table."""
    plain = spec_of(None)
    without = NativeEngine(plain, random_weights(plain), "int8", 1)
    size = weight_bytes(plain, "int8")
    lines = [
        invocation(),
        f"{machine_facts()['cpu']}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "",
        f"{'':<30}{'share of time':>17}{'native, samples/s':>36}{'bias, bytes':>22}",
        f"{'hop, upsampling, hold':<30}{'1 frame':>8}{'10':>9}"
        f"{'rows':>12}{'one row':>12}{'without':>12}{'a sample':>10}{'of weights':>12}",
    ]
    for hop in HOPS:
        for upsampling in UPSAMPLINGS:
            spec = spec_of(hop, upsampling)
            weights = random_weights(spec)
            conditioner, engine = Conditioner(spec, weights), NativeEngine(spec, weights, "int8", 1)
            samples = -(-BLOCK // hop) * hop
            rows = conditioner.whole({}, 1, samples, frames_of(conditioner, samples))
            assert rows is not None
            ways = [(engine, rows), (engine, rows[:1]), (without, None)]
            times = fastest([generating(*way, samples) for way in ways], turns)
            lines.append(
                f"{hop:<5}{upsampling:<12}{spec.conditioning[0].hold:<13}"
                f"{share(conditioner, engine, 1, turns):8.1%}"
                f"{share(conditioner, engine, MANY, turns // 4):9.1%}"
                + "".join(f"{samples / taken:12,.0f}" for taken in times)
                + f"{rows.nbytes / samples:10,.0f}{rows.nbytes / samples / size:12.2%}"
            )
    print("\n".join(lines))
    if out is not None:
        out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
