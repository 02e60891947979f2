"""How fast the native engine is with each head: all take turns, the fastest block of each counts.

    taskset -c 0 python -m bench.native.heads [--seconds 1]

L20 R64 S128 and its weights are random; what differs is what a sample is to the network, the width
of the last layer, and the draw.
"""

from __future__ import annotations

import dataclasses

import click
import torch

from bench.native.speed import NATIVE_BLOCK, block_of
from wn_export.bench.measure import measure
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax
from wn_targets.presets import PRESETS
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet

HEADS: list[Head] = [
    Softmax(),
    Softmax(1024, "linear"),
    Softmax(65536, "linear"),
    Logistic(),
    Gaussian(),
    Gaussian(10),
]
PRECISIONS = ("fp32", "bf16", "int8")


@click.command()
@click.option("--seconds", default=1.0, help="For each way.")
def main(seconds: float) -> None:
    """Print samples per second, and those beside the first head's."""
    torch.manual_seed(0)
    ways = []
    for head in HEADS:
        model = WaveNet(dataclasses.replace(PRESETS["medium"], output=head)).eval()
        weights = canonical_weights(model, "random weights")
        for precision in PRECISIONS:
            engine = NativeEngine(model.spec, weights, precision)
            ways.append((head, precision, block_of(engine, NATIVE_BLOCK)))
    times = measure([way for _, _, way in ways], seconds)
    rates = {
        (head, precision): 1e6 / float(time.us.min())
        for (head, precision, _), time in zip(ways, times, strict=True)
    }
    print(f"{'head':48}" + "".join(f"{precision:>10}   beside" for precision in PRECISIONS))
    for head in HEADS:
        beside = [rates[head, each] / rates[HEADS[0], each] for each in PRECISIONS]
        own = [rates[head, each] for each in PRECISIONS]
        cells = [f"{rate:10,.0f}{ratio:8.3f}" for rate, ratio in zip(own, beside, strict=True)]
        print(f"{head!r:48}" + " ".join(cells))


if __name__ == "__main__":
    main()
