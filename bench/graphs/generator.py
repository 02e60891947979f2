"""What generator.onnx makes of a second, beside the step graph with wavestep's own loop around it.

    python -m bench.graphs.generator [DIR …]

One stream, one thread of ONNX Runtime, both taking turns in one process. Counted is CPU time, so
that another program on the core matters little. The generator makes 512 samples a call. Beside it
stand how many of 4096 samples are those of the native engine in float32. The models are the three
of the README's table, with random weights, and the model directories given, without conditions.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click
import numpy as np

from bench.models import MODELS, random_weights
from tests.models.model_dir import write_model
from wn_runtime.conditioning.conditioner import Bias
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.engine import Engine
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights
from wn_runtime.synthesis.uniforms import uniforms
from wn_targets.presets import PRESETS

CALL, COMPARED = 512, 4096


@click.command()
@click.argument("directories", nargs=-1, type=click.Path(path_type=Path))
@click.option("--turns", default=15, show_default=True)
def main(directories: tuple[Path, ...], turns: int) -> None:
    """Print rates, their ratio, sizes and what is the same."""
    models = {
        name: (PRESETS[preset], random_weights(PRESETS[preset])) for name, preset in MODELS.items()
    }
    for directory in directories:
        package = ModelPackage(directory)
        models[package.manifest.name] = (package.spec, package.weights)
    click.echo(
        f"{'':14} {'step graph':>10} {'generator':>10} samples/s   generator / step   "
        f"same as native of {COMPARED}   MB, step and generator"
    )
    for name, (spec, weights) in models.items():
        click.echo(_line(name, spec, weights, turns))


def _line(name: str, spec: ModelSpec, weights: Weights, turns: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        directory = write_model(Path(folder), spec, generator=True, weights=weights)
        sizes = [
            (directory / f"{graph}.onnx").stat().st_size / 1e6 for graph in ("step", "generator")
        ]
        step, generator, native = (
            open_engine(directory, engine, "fp32", threads=1)
            for engine in ("onnx", "generator", "native")
        )
    bias = None
    if spec.conditioning:
        bias = np.zeros((1, spec.layers, 1, spec.gate_channels), np.float32)
    times: dict[str, list[float]] = {step.name: [], generator.name: []}
    for _ in range(turns):
        for engine in (step, generator):
            times[engine.name].append(_seconds(engine, bias))
    rates = [1 / np.median(each) for each in times.values()]
    ratio = np.median(np.divide(times[step.name], times[generator.name]))
    drawn = uniforms(0, 1, COMPARED, spec.output.uniforms)
    made = []
    for engine in (native, generator):
        engine.reset()
        made.append(engine.generate(bias, drawn))
    same = int((made[0] == made[1]).sum())
    return (
        f"{name:14} {rates[0]:10,.0f} {rates[1]:10,.0f}             {ratio:16.2f}   "
        f"{same:25}   {sizes[0]:.2f}, {sizes[1]:.2f}"
    )


def _seconds(engine: Engine, bias: Bias) -> float:
    """CPU seconds a sample."""
    drawn = uniforms(0, 1, CALL, engine.spec.output.uniforms)
    engine.generate(bias, drawn[:64])  # the engine before has filled the caches
    started = time.process_time()
    engine.generate(bias, drawn)
    return (time.process_time() - started) / CALL


if __name__ == "__main__":
    main()
