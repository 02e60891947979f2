"""Checkpoints of small random WaveNets, as wn-train writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from wn_export.parity.trained import Trained
from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.spec import ModelSpec
from wn_train.checkpoint import Checkpoint, save
from wn_train.network.canonical import canonical_weights
from wn_train.network.wavenet import WaveNet


def random_wavenet(spec: ModelSpec, weight_norm: bool = True, seed: int = 0) -> WaveNet:
    """A model whose every parameter is away from its initial value, and its params spread out."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = WaveNet(spec, weight_norm)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                scale = 0.5 if name.startswith("conditioners") else 0.1
                parameter.add_(torch.randn_like(parameter) * scale)
            gain = "head.1.parametrizations.weight.original0" if weight_norm else "head.1.weight"
            model.get_parameter(gain).mul_(10)
    return model.eval()


def trained_of(spec: ModelSpec) -> Trained:
    """Such a model as the exporter has it."""
    model = random_wavenet(spec).requires_grad_(False)
    return Trained("voice", model, canonical_weights(model, "test"), {}, ())


def write_checkpoint(
    path: Path, spec: ModelSpec, seed: int = 0, clips: int = 3, steps: int = 300
) -> Path:
    """A checkpoint called after its file, with `clips` pieces of a noisy tone."""
    rng = np.random.default_rng(seed)
    tone = np.sin(np.arange(steps) / 5) * 0.3
    pieces = [
        {
            "samples": torch.from_numpy(spec.output.encode(tone + rng.normal(0, 0.05, steps))),
            "conditions": {c.name: c.values[i % len(c.values)] for c in spec.conditions},
            **_frames(spec, steps, rng),
        }
        for i in range(clips)
    ]
    checkpoint = Checkpoint(
        name=path.stem,
        spec=spec,
        weight_norm=True,
        model=random_wavenet(spec, seed=seed + 100).state_dict(),
        ema=random_wavenet(spec, seed=seed).state_dict(),
        step=1234,
        valid_bits=3.5,
        attribution="someone's data, CC0",
        clips=pieces,
    )
    save(path, checkpoint)
    return path


def _frames(spec: ModelSpec, samples: int, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    timing = Timing.of(spec.conditioning)
    if not timing.frame_channels:
        return {}
    frames = rng.standard_normal((timing.frames(samples), timing.frame_channels))
    return {"frames": torch.from_numpy(frames.astype(np.float32))}
