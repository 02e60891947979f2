"""How fast models are trained here: whole steps of the optimiser on noise, by preset and precision.

    python -m bench.training.speed [--preset small] [--samples 10240] [--turns 15] [--threads 1]

One sequence a step, on the GPU where PyTorch has one. What a step takes is the median of the turns;
all rows take turns in one process, so that a busy machine is as busy for each.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

import click
import torch

from wn_export.bench.machine import machine_facts
from wn_runtime.model.spec import ModelSpec
from wn_targets.presets import PRESETS
from wn_train.config import TrainingConfig
from wn_train.data.chunks import Batch
from wn_train.network.wavenet import WaveNet
from wn_train.training import optimizer
from wn_train.training.likelihood import nll

PRECISIONS = ("fp32", "bf16")


@dataclass
class Row:
    """A model in training."""

    name: str
    precision: str
    spec: ModelSpec
    batch: Batch
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self._device = self.batch.samples.device
        self._model = WaveNet(self.spec).to(self._device)
        self._adam = optimizer.make(self._model, TrainingConfig())

    def step(self) -> None:
        """One step, timed."""
        began = time.perf_counter()
        self._adam.zero_grad()
        half = self.precision == "bf16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            loss = nll(self._model, self.spec.output, self.batch)
        torch.autograd.backward(loss / self.batch.samples.numel())
        self._adam.step()
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - began)


@click.command()
@click.option(
    "--preset",
    type=click.Choice(sorted(PRESETS)),
    multiple=True,
    default=["small", "medium", "paper"],
    show_default=True,
)
@click.option("--samples", default=10_240, show_default=True, help="Of a step.")
@click.option("--turns", default=15, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(preset: tuple[str, ...], samples: int, turns: int, threads: int) -> None:
    """Print seconds a step and samples a second."""
    torch.set_num_threads(threads)
    cuda = torch.cuda.is_available()
    name = torch.cuda.get_device_name() if cuda else machine_facts()["cpu"]
    print(f"{name}, PyTorch {torch.__version__}, {threads} threads, {samples} samples a step")
    rows = []
    for each in preset:
        spec = PRESETS[each]
        noise = torch.randint(0, spec.output.codes or 2, (1, samples))
        batch = Batch(noise, torch.ones_like(noise, dtype=torch.bool), {})
        batch = batch.to(torch.device("cuda" if cuda else "cpu"))
        rows += [Row(each, precision, spec, batch) for precision in PRECISIONS]
    for _ in range(turns + 1):
        for row in rows:
            row.step()
    for row in rows:
        taken = statistics.median(row.seconds[1:])  # the first is slower
        print(
            f"{row.name:8}{row.precision:6}{taken:8.3f} s a step{samples / taken:12,.0f} samples/s"
        )


if __name__ == "__main__":
    main()
