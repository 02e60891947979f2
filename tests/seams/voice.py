"""A run of wn-train small enough for a test, on utterances made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wn_runtime.model.spec import ModelSpec
from wn_train import config
from wn_train.data.audio import Utterance, compact
from wn_train.data.corpus import Recording
from wn_train.run_files import BEST
from wn_train.training.distributed import world
from wn_train.training.trainer import train

Array = NDArray[np.float32]


def tones(count: int = 6, samples: int = 800) -> list[Array]:
    """Sines of rising pitch with a little noise."""
    rng = np.random.default_rng(0)
    t = np.arange(samples)
    return [
        (0.4 * np.sin(t * (0.05 + 0.02 * i)) + rng.normal(0, 0.01, samples)).astype(np.float32)
        for i in range(count)
    ]


def utterances(spec: ModelSpec, audio: list[Array], frames: list[Array | None]) -> list[Utterance]:
    """The last two are for validation; a model of speakers gets them in turn."""
    head, made = spec.output, []
    for i, (wave, own) in enumerate(zip(audio, frames, strict=True)):
        split = "valid" if i >= len(audio) - 2 else "train"
        values = {c.name: c.values[i % len(c.values)] for c in spec.conditions}
        recording = Recording(Path(f"{i}.wav"), split, values)
        made.append(Utterance(recording, compact(head, head.encode(wave)), own))
    return made


def trained(run: Path, spec: ModelSpec, data: list[Utterance], steps: int = 60) -> Path:
    """The checkpoint of a short run; what is said of it is in `run`/said.txt."""
    run.mkdir(parents=True)
    changes = {
        "training.steps": steps,
        "training.validate_every": steps // 2,
        "training.sample_every": steps,
        "training.sample_seconds": 0.01,
        "training.warmup_steps": 5,
        "training.ema_decay": 0.9,
        "training.learning_rate": 0.01,
        "training.batch_samples": 2000,
        "data.chunk_seconds": 0.02,
    }
    settings = config.with_name(config.load("tiny", None, changes), "toy")
    said: list[str] = []
    with world() as here:
        train(spec, settings, data, run, here, None, said.append)
    (run / "said.txt").write_text("\n".join(said))
    return run / BEST
