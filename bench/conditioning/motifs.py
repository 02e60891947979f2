"""What a context stack is good for: bars that repeat, of which one step is known from a bar ago.

    python -m bench.conditioning.motifs [--steps 1500] [--out FILE]

A clip is one bar of its own, repeated: STEPS steps of STEP samples, each at one of four levels, and
a little noise over all. Within a step the last samples tell what comes; where the next one begins
its level is a guess, two bits, unless a bar ago is in sight. Three small models learn it for as
many steps: one whose field is much less than a bar, the same with a context stack, and one stack
of about the context's field. Bits per sample are of held-back clips from the second bar on, onsets
are the first samples of steps, seconds those of the processor.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray

from bench.repository import invocation
from wn_export.bench.machine import machine_facts
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.timing import Timing
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint, config
from wn_train.data.audio import Utterance, compact
from wn_train.data.corpus import Recording
from wn_train.network.wavenet import WaveNet
from wn_train.run_files import BEST
from wn_train.training.distributed import world
from wn_train.training.trainer import train

RATE, STEP, STEPS, BARS = 8000, 8, 68, 12
BAR = STEP * STEPS
LEVELS = np.array([-0.75, -0.25, 0.25, 0.75])
NOISE = 0.08


@dataclass(frozen=True)
class Clip:
    """Audio (T,), and which of its samples are the first of a step, from the second bar on."""

    audio: NDArray[np.float32]
    onsets: NDArray[np.int64]


def clip(rng: np.random.Generator) -> Clip:
    """A bar of its own, BARS times."""
    bar = np.repeat(rng.choice(LEVELS, STEPS), STEP)
    audio = np.tile(bar, BARS) + rng.normal(0, NOISE, BAR * BARS)
    return Clip(audio.astype(np.float32), np.arange(BAR, BAR * BARS, STEP))


def utterance(made: Clip, head: Head, split: str, number: int) -> Utterance:
    """As wn-train has it."""
    recording = Recording(Path(f"{split}-{number}.wav"), split, {})
    return Utterance(recording, compact(head, head.encode(made.audio)))


SMALL = ModelSpec(
    RATE,
    (1, 2, 4, 8, 16),
    residual_channels=16,
    gate_channels=32,
    skip_channels=32,
    head_channels=32,
    output=Softmax(16, "linear"),
)
REMEMBERS = ContextStack(8, 32, 16, 8, 2, (1, 2, 4, 8, 16, 32, 64), 16)
USES = {
    "5 layers, 1 … 16": SMALL,
    "with a context stack of 7": dataclasses.replace(SMALL, conditioning=(REMEMBERS,)),
    "10 layers, 1 … 512": dataclasses.replace(SMALL, dilations=tuple(1 << i for i in range(10))),
}


def learned(spec: ModelSpec, steps: int, clips: list[Clip]) -> tuple[float, float, float]:
    """Bits per sample on held-back clips, and on their onsets; training's processor seconds."""
    data = [
        utterance(each, spec.output, "valid" if i % 16 == 0 else "train", i)
        for i, each in enumerate(clips)
    ]
    changes = {
        "training.steps": steps,
        "training.validate_every": steps,
        "training.sample_every": 0,
        "training.learning_rate": 3e-3,
        "training.ema_decay": 0.99,
        "training.batch_samples": 4_000,
        "data.chunk_seconds": 0.2,
    }
    settings = config.with_name(config.load("tiny", None, changes), "motifs")
    with tempfile.TemporaryDirectory() as folder, world() as here:
        began = time.process_time()
        with contextlib.redirect_stderr(io.StringIO()):  # its bar
            train(spec, settings, data, Path(folder), here, None, lambda _line: None)
        took = time.process_time() - began
        model = WaveNet(spec)
        model.load_state_dict(checkpoint.load(Path(folder) / BEST).ema)
    every, onsets = [], []
    for made in clips[::16]:
        bits = bits_of(model.eval(), made)
        every.append(bits[BAR:].mean())
        onsets.append(bits[made.onsets].mean())
    return float(np.mean(every)), float(np.mean(onsets)), took


@torch.inference_mode()
def bits_of(model: WaveNet, made: Clip) -> NDArray[np.float32]:
    """Of each sample of a clip, (T,)."""
    head = model.spec.output
    samples = head.encode(made.audio)
    params = model(torch.from_numpy(samples)[None].long())[0].numpy()
    return head.bits(params, samples)


def table(steps: int) -> Iterator[str]:
    """Its lines, as they come."""
    rng = np.random.default_rng(0)
    clips = [clip(rng) for _ in range(256)]
    yield f"{steps} steps, {len(clips[::16])} held-back clips; a bar has {BAR} samples"
    yield ""
    yield f"{'':<28}{'field':>9}{'parameters':>12}{'bits':>9}{'at onsets':>11}{'seconds':>9}"
    for name, spec in USES.items():
        bits, onset, took = learned(spec, steps, clips)
        field = max(spec.receptive_field, Timing.of(spec.conditioning).context)
        yield f"{name:<28}{field:9,}{spec.parameters:12,}{bits:9.3f}{onset:11.3f}{took:9.0f}"


@click.command()
@click.option("--steps", default=1500, show_default=True, help="Of each training.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table there, too.")
def main(steps: int, out: Path | None) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    lines = [invocation(), machine_facts()["cpu"], ""]
    print("\n".join(lines))
    for line in table(steps):
        print(line, flush=True)
        lines.append(line)
    if out is not None:
        out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
