"""PyTorch's step as a CUDA graph: samples per second of one stream, draws on the GPU.

    python -m bench.gpu.pytorch_graph [--json bench/results/pytorch-graph-h100.json]

`WaveNet.step` as it is, its state passed on as a value; a graph holds several steps, so that its
launch and the state's way back cost a part of a step only. Random weights; under half a minute.
The draw is Gumbel-argmax: the sample of the largest logit plus noise is one of the softmax.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch
from torch import Tensor

from wn_export.bench.machine import machine_facts
from wn_targets.presets import PRESETS
from wn_train.network.wavenet import NetworkState, WaveNet

MODELS = {"L20 R64 S128": "medium", "L30 R64 S256": "paper"}
PRECISIONS = {"fp16": torch.float16, "fp32": torch.float32}
STREAMS, REPEATS = 1, 5
EAGER_STEPS = 100


@dataclass
class Loop:
    """A stream between two steps."""

    newest: Tensor
    """(B,) of int64."""
    state: NetworkState

    @classmethod
    def start(cls, model: WaveNet, streams: int) -> Loop:
        """After silence."""
        device = next(model.parameters()).device
        silence = torch.full((streams,), int(model.spec.output.silence), device=device)
        return cls(silence, model.initial_state(streams))

    @property
    def tensors(self) -> list[Tensor]:
        """All that a step changes."""
        return [self.newest, self.state.samples, *self.state.layers]


def generate(model: WaveNet, loop: Loop, noise: Tensor) -> tuple[Tensor, Loop]:
    """The next samples (K, B), and the loop after them.

    noise: (K, B, A) for the logits, of a Gumbel distribution: `gumbel`.
    """
    newest, state, samples = loop.newest, loop.state, []
    for row in noise:
        logits, state = model.step(newest, None, state)
        newest = (logits.float() + row).argmax(-1)
        samples.append(newest)
    return torch.stack(samples), Loop(newest, state)


def gumbel(model: WaveNet, steps: int, streams: int) -> Tensor:
    """(K, B, A): -log of exponential noise."""
    device = next(model.parameters()).device
    shape = (steps, streams, model.spec.output.params)
    return -torch.empty(shape, device=device).exponential_().log()


class Graph:
    """So many steps of one stream, captured. A call makes the next samples, (K, B), in place."""

    def __init__(self, model: WaveNet, steps: int) -> None:
        loop = Loop.start(model, STREAMS)

        def steps_in_place() -> Tensor:
            samples, after = generate(model, loop, gumbel(model, steps, STREAMS))
            for kept, new in zip(loop.tensors, after.tensors, strict=True):
                kept.copy_(new)
            return samples

        # As PyTorch asks: what is lazily made is made before the capture, on another stream.
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            steps_in_place()
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self.samples = steps_in_place()

    def __call__(self) -> None:
        """Launch it; `samples` are there once the device is done."""
        self._graph.replay()


def random_model(preset: str, precision: torch.dtype) -> WaveNet:
    """On the GPU."""
    torch.manual_seed(0)
    return WaveNet(PRESETS[preset]).eval().to("cuda", precision)


@torch.inference_mode()
def measure(preset: str, precision: torch.dtype, steps: int, seconds: float) -> dict[str, Any]:
    """Samples a second of the graph, the median of the runs, and of the same step without one."""
    model = random_model(preset, precision)
    graph = Graph(model, steps)

    def run(replays: int) -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(replays):
            graph()
        graph.samples.cpu()
        return time.perf_counter() - start

    run(10)
    replays = max(10, int(seconds / (run(20) / 20)))
    graphed = [run(replays) for _ in range(REPEATS)]
    loop = Loop.start(model, STREAMS)
    eager = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        samples, loop = generate(model, loop, gumbel(model, EAGER_STEPS, STREAMS))
        samples.cpu()
        eager.append(time.perf_counter() - start)
    return {
        "steps_a_graph": steps,
        "samples": replays * steps,
        "seconds": graphed,
        "samples_per_second": replays * steps / median(graphed),
        "samples_per_second_without_graph": EAGER_STEPS / median(eager),
    }


@click.command()
@click.option("--steps", default=16, show_default=True, help="Of a graph.")
@click.option("--seconds", default=0.4, show_default=True, help="For each of the runs.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(steps: int, seconds: float, out: Path | None) -> None:
    """Print a line for each model and precision."""
    if not torch.cuda.is_available():
        click.echo(
            "error: this PyTorch sees no GPU; run this on a machine with an NVIDIA GPU and a "
            "PyTorch built for it",
            err=True,
        )
        sys.exit(2)
    rows = []
    for name, preset in MODELS.items():
        for precision, dtype in PRECISIONS.items():
            row = measure(preset, dtype, steps, seconds)
            rows.append({"model": name, "precision": precision, "streams": STREAMS} | row)
            graphed, eager = row["samples_per_second"], row["samples_per_second_without_graph"]
            click.echo(f"{name} {precision}: {graphed:,.0f} samples/s; {eager:,.0f} without graph")
    if out:
        out.write_text(json.dumps({"machine": machine_facts(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
