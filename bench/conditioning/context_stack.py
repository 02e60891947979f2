"""What a context stack costs, beside one stack of an equal field.

    taskset -c 0 python -m bench.conditioning.context_stack [--seconds 10] [--out FILE]

Random weights, 16 kHz: L20 R64 S128 alone; with a context stack; and stacks of the context's field
without one: two cycles of longer dilations, and more cycles of 1 … 512. All times are of the
processor, as the machine may have other work, and of the fastest turn.

    samples/s  of the native engine, its conditioning included, in blocks of 256; all take turns
    share      of that which the conditioning takes
    a window   seconds of a training step, float32: a pass and its gradients over a window that
               counts 4,096 samples, with the context that it needs

What it is good for: motifs.py.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch

from bench.repository import invocation
from wn_export.bench.machine import machine_facts
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms
from wn_train.heads import registry as losses
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet

BLOCK, COUNTED = 256, 4096
TURN = 0.02
"""Seconds of a turn: its first block finds the caches full of other models' weights."""
PRECISIONS = ("int8", "fp32")


def cycles(longest: int, times: int) -> tuple[int, ...]:
    """Dilations 1, 2, 4, … `longest`, so many times."""
    return times * tuple(1 << i for i in range(longest.bit_length()))


def model_of(dilations: tuple[int, ...], *stack: ContextStack) -> ModelSpec:
    """R64 S128 of so many layers."""
    return ModelSpec(
        16000,
        dilations,
        residual_channels=64,
        gate_channels=128,
        skip_channels=128,
        conditioning=stack,
    )


STACK = ContextStack(64, BLOCK, classes=256)
LONG = dataclasses.replace(STACK, dilations=cycles(1024, 1))
COSTS = {
    "20 layers, 1 … 512": model_of(cycles(512, 2)),
    "with a context stack of 8": model_of(cycles(512, 2), STACK),
    "26 layers, 1 … 4096": model_of(cycles(4096, 2)),
    "160 layers, 1 … 512": model_of(cycles(512, 16)),
    "with a context stack of 11": model_of(cycles(512, 2), LONG),
    "32 layers, 1 … 32768": model_of(cycles(32768, 2)),
}


def field(spec: ModelSpec) -> int:
    """Samples that a prediction can see, by either stack."""
    return max(spec.receptive_field, Timing.of(spec.conditioning).context)


class Stream:
    """Blocks of one voice, its conditioning included."""

    def __init__(self, spec: ModelSpec, precision: str) -> None:
        torch.manual_seed(0)
        weights = canonical_weights(WaveNet(spec).eval(), "random weights")
        self._conditioner = Conditioner(spec, weights)
        self._engine = NativeEngine(spec, weights, precision, 1)
        self._state = self._conditioner.start({}, 1)
        self._made = np.full((BLOCK, 1), spec.output.silence, np.int32)
        self._drawn = uniforms(0, 1, BLOCK)
        self.fastest, self.conditioning = np.inf, np.inf

    def block(self) -> None:
        """One more; the seconds of the fastest are kept, and of the fastest conditioning."""
        began = time.process_time()
        bias, self._state = self._conditioner.block(self._state, BLOCK, None, self._made)
        conditioned = time.process_time()
        self._made = self._engine.generate(bias, self._drawn)
        self.fastest = min(self.fastest, time.process_time() - began)
        self.conditioning = min(self.conditioning, conditioned - began)


def generation(seconds: float) -> list[str]:
    """The table of streams that took turns for so many seconds."""
    streams = {name: [Stream(spec, p) for p in PRECISIONS] for name, spec in COSTS.items()}
    end = time.process_time() + seconds
    while time.process_time() < end:
        for each in streams.values():
            for stream in each:
                turn = time.process_time() + TURN
                stream.block()
                while time.process_time() < turn:
                    stream.block()
    lines = [
        f"{'generating':<30}{'field, samples':>15}{'':>8}"
        f"{'int8, samples/s':>16}{'share':>7}{'fp32, samples/s':>17}{'share':>7}"
    ]
    for name, each in streams.items():
        samples = field(COSTS[name])
        cells = ""
        for stream, width in zip(each, (16, 17), strict=True):
            share = stream.conditioning / stream.fastest if COSTS[name].conditioning else 0
            cells += f"{BLOCK / stream.fastest:{width},.0f}{share:7.1%}"
        lines.append(f"{name:<30}{samples:15,}{samples / 16000:6.2f} s{cells}")
    return lines


def training_step(spec: ModelSpec, spared: bool) -> Callable[[], None]:
    """One pass and its gradients over a window that counts COUNTED samples.

    spared: the network begins at its own receptive field.
    """
    torch.manual_seed(0)
    model, timing = WaveNet(spec), Timing.of(spec.conditioning)
    memory = -(-timing.memory // timing.block) * timing.block
    whole = memory + spec.receptive_field + COUNTED
    samples = torch.randint(0, 256, (1, -(-whole // timing.block) * timing.block))
    begins = memory if spared else 0

    def step() -> None:
        model.zero_grad()
        params = model(samples, memory=begins)
        nll = losses.nll(spec.output, params, samples[:, begins:])
        torch.autograd.backward(nll[:, -COUNTED:].sum())

    return step


def training(turns: int) -> list[str]:
    """The table of training steps; the fastest turn counts."""
    plain, stacked, single, *_ = COSTS
    ways = {
        plain: training_step(COSTS[plain], True),
        stacked: training_step(COSTS[stacked], True),
        "  the network over all of it": training_step(COSTS[stacked], False),
        single: training_step(COSTS[single], True),
    }
    best = dict.fromkeys(ways, np.inf)
    for _ in range(turns):
        for name, step in ways.items():
            began = time.process_time()
            step()
            best[name] = min(best[name], time.process_time() - began)
    return [
        f"{'training':<30}{'seconds a window':>17}",
        *(f"{name:<30}{seconds:17.2f}" for name, seconds in best.items()),
    ]


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="Of generation, all together.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the tables there, too.")
def main(seconds: float, out: Path | None) -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    lines = [
        invocation(),
        f"{machine_facts()['cpu']}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "",
        *generation(seconds),
        "",
        *training(turns=2),
    ]
    print("\n".join(lines))
    if out is not None:
        out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
