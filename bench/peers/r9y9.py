"""r9y9's default model, imported, beside its own generation: samples a second on one core.

    python -m bench.peers.r9y9 CHECKOUT [--threads 2]     a clone of github.com/r9y9/wavenet_vocoder

Random weights, as no trained checkpoint is at hand: what is computed is the same. Both take turns
in one process, on one thread; what counts is the process's own time, in the fastest block of all
turns, because what else the machine does only ever adds time. With more threads ours count by the
clock on the wall. Theirs is `incremental_forward` after `make_generation_fast_`, its upsampling
left out. `read` is what a sample reads of the weights, older taps by the sample that they are
computed with, and the share of what this core reads of as much memory, again and again.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

import wn_runtime
from bench.native.bandwidth import read_bandwidth
from wn_export.bench.machine import machine_facts
from wn_export.package.graph_files import STEP, write_models
from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.model import Model
from wn_train.importers import reading

ROUNDS = 3
THEIR_BLOCK = 5
"""Samples of a block of theirs, which takes about as long as one of ours: a frame of 256."""
THEIR_FRAMES, OUR_FRAMES = 1, 20
HPARAMS: dict[str, Any] = {
    "input_type": "raw",
    "quantize_channels": 65536,
    "sample_rate": 22050,
    "hop_size": 256,
    "output_distribution": "Logistic",
    "log_scale_min": -16.0,
    "out_channels": 30,
    "layers": 24,
    "stacks": 4,
    "residual_channels": 128,
    "gate_channels": 256,
    "skip_out_channels": 128,
    "kernel_size": 3,
    "cin_channels": 80,
    "cin_pad": 2,
    "upsample_conditional_features": True,
    "upsample_params": {"upsample_scales": [4, 4, 4, 4]},
    "postprocess": "inv_preemphasis",
    "global_gain_scale": 0.55,
}
"""Its recipe for a mixture of logistics (egs/mol), as far as it says what the model is."""


def theirs(checkout: Path) -> Any:
    """Their module, with weights of a seed."""
    sys.path.insert(0, str(checkout))
    from wavenet_vocoder import WaveNet  # type: ignore[import-not-found]

    torch.manual_seed(0)
    params = {**HPARAMS["upsample_params"], "cin_channels": 80, "cin_pad": 2}
    own = ("out_channels", "layers", "stacks", "residual_channels", "gate_channels",
           "skip_out_channels", "kernel_size", "cin_channels", "cin_pad",
           "upsample_conditional_features", "output_distribution")  # fmt: skip
    settings = {name: HPARAMS[name] for name in own}
    model = WaveNet(scalar_input=True, dropout=0.0, **settings | {"upsample_params": params})
    return model.eval()


@click.command()
@click.argument("checkout", type=click.Path(path_type=Path, exists=True))
@click.option("--precisions", default="int8,bf16,fp32", show_default=True)
@click.option("--threads", default=1, show_default=True, help="Of ours.")
def main(checkout: Path, precisions: str, threads: int) -> None:
    """Measure both and print."""
    torch.set_num_threads(1)
    model = theirs(checkout)
    frames = np.random.default_rng(0).standard_normal((OUR_FRAMES + 8, 80)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        torch.save({"state_dict": model.state_dict()}, path / "theirs.pth")
        (path / "h.json").write_text(json.dumps(HPARAMS))
        imported, _ = reading.convert(
            path / "theirs.pth", "r9y9", path / "h.json", (), "generation", None
        )
        spec = imported.spec
        manifest = Manifest(manifests.FORMAT, "r9y9", spec, {}, state=layout(spec))
        (path / "model").mkdir()
        write_models(path / "model", manifest, imported.weights, STEP)
        ours = {
            each: wn_runtime.open(path / "model", "native", each, threads=threads)
            for each in precisions.split(",")
        }
        model.make_generation_fast_()
        wide = np.pad(frames[:THEIR_FRAMES], ((2, 2), (0, 0)), mode="edge").T[None]
        conditioning = torch.from_numpy(wide.copy())

        hop = spec.conditioning[0].hop
        theirs_s, ours_s = math.inf, dict.fromkeys(ours, math.inf)
        for _ in range(ROUNDS):
            theirs_s = min(theirs_s, by_them(model, conditioning, hop))
            for each, opened in ours.items():
                ours_s[each] = min(ours_s[each], by_us(opened, frames, hop, threads))
    facts = machine_facts()
    load = facts["load"][0]
    cores = "one core" if threads == 1 else f"ours on {threads} threads"
    print(f"{facts['cpu']}, {cores}, load {load:.0f}; torch {torch.__version__}; fastest blocks")
    print(f"their incremental_forward  {1 / theirs_s:10,.1f} samples/s")
    for each, seconds in ours_s.items():
        size = bytes_read(spec, each)
        share = size / seconds / read_bandwidth(int(size))
        print(
            f"native {each:5s}               {1 / seconds:10,.0f} samples/s"
            f" {theirs_s / seconds:6.1f} times"
            f" {1 / seconds / spec.sample_rate:5.2f} of real time at {spec.sample_rate} Hz"
            f"   read {size / 1e6:.2f} MB, {size / seconds / 1e9:.0f} GB/s"
            + (f" ({share:.0%})" if threads == 1 else "")
        )


def by_them(model: Any, conditioning: torch.Tensor, steps: int) -> float:
    """Seconds a sample, in the fastest few."""
    marks: list[float] = []

    def marked(every: Iterable[int]) -> Iterator[int]:
        for step in every:
            marks.append(time.process_time())
            yield step

    with torch.no_grad():
        model.incremental_forward(c=conditioning, T=steps, tqdm=marked, softmax=False)
    each = zip(marks, marks[THEIR_BLOCK:], strict=False)
    return min(end - begin for begin, end in each) / THEIR_BLOCK


def bytes_read(spec: ModelSpec, precision: str) -> float:
    """Of weights, for a sample of one stream: what is computed ahead is shared by many (taps.h)."""
    gate = spec.residual_channels * spec.gate_channels
    half = spec.gate_channels // 2
    older = (spec.kernel - 1) * len(spec.dilations) * gate
    together = 16 if precision == "int8" and older > 1 << 20 else 8  # wavenet.c's TAP_STEPS
    numbers = 0.0
    for dilation in spec.dilations:
        numbers += gate + half * (spec.residual_channels + spec.skip_channels)
        for tap in range(1, spec.kernel):
            known = tap * dilation if precision == "int8" else dilation
            numbers += gate / 2 ** math.floor(math.log2(min(known, together)))
    numbers += spec.skip_channels * spec.head_channels
    numbers += spec.head_channels * spec.output.params * (2 if precision == "int8" else 1)
    return numbers * {"int8": 1, "bf16": 2, "fp32": 4}[precision]


def by_us(model: Model, frames: NDArray[np.float32], hop: int, threads: int) -> float:
    """The same; a block is a frame, and its conditioning counts."""
    now = time.process_time if threads == 1 else time.perf_counter
    found = []
    with model.stream(seed=1, frames=frames) as stream:
        for _ in range(OUR_FRAMES):
            began = now()
            stream.read(hop)
            found.append((now() - began) / hop)
    return min(found)


if __name__ == "__main__":
    main()
