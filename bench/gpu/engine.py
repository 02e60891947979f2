"""How fast the CUDA engine is on this GPU, by model, precision, schedule and number of streams.

    python -m bench.gpu.engine                           the whole table
    python -m bench.gpu.engine --model L20 --streams 1   one stream of one model
    python -m bench.gpu.engine --streams 1 --schedule clustered:1 --schedule clustered:1:older

Random weights: what a sample costs does not depend on their values. Each row is held to the layer
equation first (the largest error of the params over `--checked` samples, relative to the largest
param). Then blocks of `--block` samples, host and transfers included: medians of `--repeats`.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench import models
from tests.law import oracle
from tests.models.specs import random_samples, random_uniforms, random_weights
from wn_runtime.engines.cuda.choose import GROUPS, VARIABLE, Kind, choose
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.cuda.open import this_gpu
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.schedule import READS, Schedule
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_targets.presets import PRESETS

MODELS = {title.replace(" ", "-"): PRESETS[preset] for title, preset in models.MODELS.items()}
"""As they are written on a command line."""
RATE = 16000
CLUSTER, MOST_SHARING = 8, 16
"""Blocks that a group is taken to have, and the most streams of one."""


def kinds(gpu: Gpu, precision: str, streams: int) -> Iterator[Kind]:
    """All that could serve so many streams."""
    blocks = gpu.multiprocessors
    each = next((n for n in GROUPS if -(-streams // n) * CLUSTER <= blocks), None)
    if each is not None and each <= MOST_SHARING and precision != "fp32":
        for read in READS if streams == 1 else READS[:1]:
            yield Kind("clustered", each, read)
            yield Kind("flagged", each, read)
    for each in (1, 4, 8, 16, 32):
        if -(-streams // blocks) <= each <= streams and (each == 1 or streams >= each * 8):
            yield Kind("alone", each)


def schedules(
    spec: ModelSpec, gpu: Gpu, precision: str, streams: int, named: Sequence[str]
) -> Iterator[tuple[str, Schedule]]:
    """The named ones that this GPU runs, or else all."""
    for name in named or map(str, kinds(gpu, precision, streams)):
        try:
            yield name, choose(spec, precision, streams, gpu, {VARIABLE: name}).schedule
        except EngineUnavailable as reason:
            if named:
                print(f"{precision:5} {streams:7} {reason}")


def measure(engine: CudaEngine, block: int, repeats: int) -> tuple[float, float]:
    """Samples a second of each stream: median and fastest block."""
    uniforms = random_uniforms(block, engine.batch)
    engine.generate(None, uniforms)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        engine.generate(None, uniforms)
        seconds.append(time.perf_counter() - started)
    return block / statistics.median(seconds), block / min(seconds)


def error(engine: CudaEngine, weights: Any, steps: int) -> float:
    """Of the params, relative to the largest, of the first stream and the last."""
    samples = random_samples(engine.spec, steps, engine.batch)
    ends = [0, engine.batch - 1]
    found = engine.score(samples, None)[:, ends]
    expected = oracle.score(engine.spec, weights, samples[:, ends], None)
    engine.reset()
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--model", default="", help="only models whose name begins so")
@click.option("--precision", default="", help="only this one")
@click.option("--streams", multiple=True, type=int, default=(1, 8, 64, 512, 2112, 4224))
@click.option("--schedule", "named", multiple=True, help="only these, as WAVESTEP_CUDA_SCHEDULE")
@click.option("--block", default=4096, help="samples of a block; fewer with many streams")
@click.option("--repeats", default=5)
@click.option("--checked", default=40, help="samples held to the layer equation; 0: none")
@click.option("--out", type=click.Path(path_type=Path), help="write the rows there, as JSON")
def main(
    model: str,
    precision: str,
    streams: tuple[int, ...],
    named: tuple[str, ...],
    block: int,
    repeats: int,
    checked: int,
    out: Path | None,
) -> None:
    """Measure the CUDA engine on this GPU."""
    try:
        device = CudaDevice()
    except WavestepError as reason:
        print(f"error: {reason}", file=sys.stderr)
        raise SystemExit(2) from None
    gpu = this_gpu(device).gpu
    rows: list[dict[str, Any]] = []
    print(f"{device.name}, {device.multiprocessors} multiprocessors")
    heads = ("model", "precision", "streams", "schedule", "samples/s", "fastest", "real time")
    print("{:14} {:5} {:>7} {:22} {:>9} {:>9} {:>9}  error".format(*heads))
    names = [name for name in MODELS if name.startswith(model)]
    for name, kind, count in itertools.product(names, ("int8", "fp16", "fp32"), streams):
        if precision not in ("", kind) or (kind == "fp32" and count > 64):
            continue
        spec = MODELS[name]
        weights = random_weights(spec)
        for called, schedule in schedules(spec, gpu, kind, count, named):
            row = {"model": name, "precision": kind, "streams": count, "kind": called}
            row |= {"schedule": schedule.note}
            try:
                engine = CudaEngine(CudaDevice(), schedule, count, pack(schedule, weights))
                wrong = error(engine, weights, checked) if checked else 0.0
                length = max(256, min(block, 2**21 // count))
                median, fastest = measure(engine, length, repeats)
                engine.close()
            except WavestepError as reason:
                print(f"{name:14} {kind:5} {count:7} {called:22} {reason}")
                rows.append({**row, "failed": str(reason)})
                continue
            row |= {"samples_per_second": round(median), "fastest": round(fastest), "error": wrong}
            rows.append(row)
            print(
                f"{name:14} {kind:5} {count:7} {called:22} {median:9.0f} {fastest:9.0f} "
                f"{median / RATE:8.2f}×  {wrong:.1e}",
                flush=True,
            )
            if out:
                result = {"gpu": device.name, "rows": rows}
                out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
