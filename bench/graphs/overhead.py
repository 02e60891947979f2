"""What wn-run's ONNX engine costs over the bare graph, and what PyTorch costs beside it.

    python -m bench.graphs.overhead [--layers 20] [--residual 32] [--skip 128]

All ways take turns of a few milliseconds in one process on one thread. Counted is the CPU time of
the best turn of each, so that another program on the core matters little; on an idle core it is
the time that passes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from tests.models.model_dir import write_model
from wn_runtime.engines.choice import open_engine
from wn_runtime.heads.head import inverse_temperatures
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet

Way = Callable[[int], None]
"""Makes so many samples."""


@click.command()
@click.option("--layers", default=20, show_default=True)
@click.option("--residual", default=32, show_default=True)
@click.option("--skip", default=128, show_default=True)
@click.option("--turns", default=40, show_default=True)
def main(layers: int, residual: int, skip: int, turns: int) -> None:
    """Print the rate of every way to make samples."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    dilations = tuple(2 ** (layer % 10) for layer in range(layers))
    spec = ModelSpec(
        8000,
        dilations,
        residual_channels=residual,
        gate_channels=2 * residual,
        skip_channels=skip,
    )
    model = WaveNet(spec).eval()
    for parameter in model.parameters():  # away from zero, where arithmetic may be cheaper
        torch.nn.init.normal_(parameter, std=0.1)
    with tempfile.TemporaryDirectory() as folder:
        weights = canonical_weights(model, "random weights")
        engine: Any = open_engine(write_model(Path(folder), spec, weights=weights), "onnx")
    (lane,) = engine._lanes
    binding, session = lane._binding, lane._session

    def bare(steps: int) -> None:
        for _ in range(steps):
            session.run_with_iobinding(binding)

    drawn = uniforms(0, 1, 1000, spec.output.uniforms)

    def generate(steps: int) -> None:
        engine.generate(None, drawn[:steps])

    ways: dict[str, tuple[Way, int]] = {  # and samples a turn
        "bare session.run_with_iobinding": (bare, 150),
        "onnx engine": (generate, 150),
        "PyTorch incremental (WaveNet.step)": (incremental(model), 20),
        "PyTorch full window": (full_window(model), 1),
    }
    times = take_turns(ways, turns)
    rates = {name: 1 / min(found) for name, found in times.items()}
    rate = rates["onnx engine"]
    click.echo(
        f"L{layers} R{residual} S{skip} A{spec.output.params}, one thread, best of {turns} turns"
    )
    for name, found in rates.items():
        beside = "" if name.startswith(("bare", "onnx")) else f"   onnx engine {rate / found:.0f}×"
        click.echo(f"{name:36} {found:10,.0f} samples/s{beside}")
    ratios = np.divide(times["bare session.run_with_iobinding"], times["onnx engine"])
    click.echo(
        f"onnx engine reaches {100 * np.median(ratios):.1f} % of the bare rate "
        "(median of turns taken one after the other)"
    )


def take_turns(ways: dict[str, tuple[Way, int]], turns: int) -> dict[str, list[float]]:
    """CPU seconds a sample in each turn of each way."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns):
        for name, (way, steps) in ways.items():
            if steps == 1 and turn % 10:
                continue  # a sample of the full window lasts as long as a turn of another
            way(1)  # the way before has filled the caches
            started = time.process_time()
            way(steps)
            times[name].append((time.process_time() - started) / steps)
    return times


def incremental(model: WaveNet) -> Way:
    """One WaveNet.step a sample, as one would write it in PyTorch."""
    head = model.spec.output
    params = np.empty((1, head.params), np.float32)
    draw = head.drawer(params, inverse_temperatures(1.0, 1))
    drawn, newest = uniforms(0, 1, 1, head.uniforms)[0], np.zeros(1, head.sample_dtype)

    @torch.inference_mode()
    def run(steps: int) -> None:
        state = model.initial_state(1)
        sample = torch.full((1,), head.silence)
        for _ in range(steps):
            found, state = model.step(sample, None, state)
            params[:] = found.numpy()
            draw(drawn, newest)
            sample = torch.from_numpy(newest.astype(np.int64))

    return run


def full_window(model: WaveNet) -> Way:
    """One forward over the receptive field a sample: what code without a cache does."""
    window = torch.full((1, model.spec.receptive_field), model.spec.output.silence)

    @torch.inference_mode()
    def run(steps: int) -> None:
        for _ in range(steps):
            model(window)

    return run


if __name__ == "__main__":
    main()
