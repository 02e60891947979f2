"""The native engine beside ONNX Runtime and PyTorch, and beside the limit that memory sets.

    taskset -c 0 python -m bench.native.speed [--seconds 1] [--json bench/results/native.json]

All take turns in one process, one thread each, in blocks of about a millisecond; a figure is the
fastest block of all turns, because what else the machine does only ever adds time. The limit is
the bytes of weights that a sample reads over the bandwidth at which this core reads a block of
that size again and again. What is computed ahead for several steps is read once for them all, so
that a figure may pass the limit.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from bench.graphs.overhead import incremental
from bench.models import MODELS
from bench.native.bandwidth import read_bandwidth
from tests.models.model_dir import write_model
from wn_export.bench.machine import machine_facts
from wn_export.bench.measure import Generator, measure
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms
from wn_targets.presets import PRESETS
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet

PRECISIONS = ("fp32", "bf16", "int8")
BATCHES = (1, 8)
NATIVE_BLOCK, ONNX_BLOCK, TORCH_BLOCK = 32, 8, 2  # samples of a call, all streams together


@dataclass(frozen=True)
class Row:
    """One way on this machine."""

    model: str
    engine: str
    precision: str
    batch: int
    variant: str
    """Compiler flags beyond those for this CPU."""
    samples_per_second: float
    """All streams together, in the fastest block."""
    us: float
    """Microseconds of a step, in the fastest block."""
    us_median: float
    weight_bytes: int | None
    """Read for every step; None where it is not counted."""
    limit: float | None
    """Steps per second that reading those bytes allows."""


def generators(
    directory: Path, model: WaveNet, variants: list[str]
) -> list[tuple[Generator, str, int | None]]:
    """Each way, its variant and the bytes of weights of a step."""
    spec = model.spec
    weights = ModelPackage(directory).weights
    ways: list[tuple[Generator, str, int | None]] = []
    for precision in PRECISIONS:
        for batch in BATCHES:
            for flags in ["", *variants]:
                engine = NativeEngine(spec, weights, precision, batch, library=compiler(flags))
                size = weight_bytes(spec, precision)
                ways.append((block_of(engine, max(8, NATIVE_BLOCK // batch)), flags, size))
    ways.append((block_of(open_engine(directory, "onnx"), ONNX_BLOCK), "", None))
    run = incremental(model)
    ways.append(
        (Generator("pytorch", "fp32", 1, 1, TORCH_BLOCK, lambda: run(TORCH_BLOCK)), "", None)
    )
    return ways


def compiler(flags: str) -> Callable[[Shapes], Library]:
    """Compiles the native engine for this CPU, with these flags too."""
    return lambda shapes: compiled(shapes, (*cpu.native_flags(), *flags.split()))


def block_of(engine: Engine, block: int) -> Generator:
    """Blocks of that many samples at temperature 1."""
    drawn = uniforms(0, engine.batch, block, engine.spec.output.uniforms)
    return Generator(
        engine=engine.name,
        precision=engine.precision,
        batch=engine.batch,
        threads=1,
        block=block,
        make=lambda: engine.generate(None, drawn),
    )


def weight_bytes(spec: ModelSpec, precision: str) -> int:
    """The packed weights but for the input's table, of which a step reads one row a tap."""
    packed = compiled(Shapes(spec, precision, 1)).model_bytes
    width = -(-spec.residual_channels // 16) * 16 * 4
    return packed - spec.input_kernel * (spec.output.input_channels - 1) * width


@click.command()
@click.option("--seconds", default=1.0, help="For each way.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Also write the rows here.")
@click.option("--variant", multiple=True, help="Measure these compiler flags too; repeatable.")
@click.option("--only", multiple=True, type=click.Choice(list(MODELS)), help="Only that model.")
def main(seconds: float, out: Path | None, variant: tuple[str, ...], only: tuple[str, ...]) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    for name in only or MODELS:
        torch.manual_seed(0)
        model = WaveNet(PRESETS[MODELS[name]]).eval()
        with tempfile.TemporaryDirectory() as scratch:
            weights = canonical_weights(model, "random weights")
            directory = write_model(Path(scratch), model.spec, weights=weights)
            ways = generators(directory, model, list(variant))
            times = measure([way for way, _, _ in ways], seconds)
        own = [
            _row(name, way, flags, size, time.us)
            for (way, flags, size), time in zip(ways, times, strict=True)
        ]
        rows += own
        _show(name, own)
    if out:
        facts = machine_facts()
        table = {"machine": facts, "rows": [asdict(row) for row in rows]}
        out.write_text(json.dumps(table, indent=1) + "\n", "utf-8")


def _row(name: str, way: Generator, flags: str, size: int | None, us: NDArray[np.float64]) -> Row:
    best = float(us.min())
    limit = read_bandwidth(size) / size if size else None
    return Row(
        model=name,
        engine=way.engine,
        precision=way.precision,
        batch=way.batch,
        variant=flags,
        samples_per_second=way.batch * 1e6 / best,
        us=best,
        us_median=float(np.median(us)),
        weight_bytes=size,
        limit=limit,
    )


def _show(name: str, rows: list[Row]) -> None:
    rates = {(r.engine, r.precision, r.batch, r.variant): r.samples_per_second for r in rows}
    onnx = rates["onnx", "fp32", 1, ""]
    torch_rate = rates["pytorch", "fp32", 1, ""]
    print(f"\n{name}")
    print("engine  precision  batch  samples/s    us/step  x onnx  x pytorch  x batch 1  of limit")
    for r in rows:
        alone = rates[r.engine, r.precision, 1, r.variant]
        of = f"{1e6 / r.us / r.limit:7.0%}" if r.limit else ""
        print(
            f"{r.engine:8}{r.precision:9}{r.batch:7}{r.samples_per_second:11,.0f}{r.us:11.2f}"
            f"{r.samples_per_second / onnx:8.1f}{r.samples_per_second / torch_rate:11.0f}"
            f"{r.samples_per_second / alone:11.2f}{of:>10}  {r.variant}"
        )
    for r in rows:
        if r.limit and r.batch == 1 and not r.variant:
            gigabytes = r.weight_bytes / 1e9 * r.limit if r.weight_bytes else 0
            print(
                f"limit {r.precision}: {(r.weight_bytes or 0) / 1e6:.2f} MB a sample at "
                f"{gigabytes:.0f} GB/s: {r.limit:,.0f} samples/s"
            )


if __name__ == "__main__":
    main()
