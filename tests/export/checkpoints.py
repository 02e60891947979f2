"""Checkpoints of small random WaveNets, as wn-train writes them."""

from pathlib import Path

import numpy as np
import torch

from wn_runtime.model.spec import ModelSpec
from wn_train.checkpoint import Checkpoint, save
from wn_train.network.wavenet import WaveNet


def random_wavenet(spec: ModelSpec, weight_norm: bool = True, seed: int = 0) -> WaveNet:
    """A model whose every parameter is away from its initial value, and its logits spread out."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = WaveNet(spec, weight_norm)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                scale = 0.5 if name.startswith("conditions") else 0.1
                parameter.add_(torch.randn_like(parameter) * scale)
            head = model.head[1]
            gain = head.parametrizations.weight.original0 if weight_norm else head.weight
            gain.mul_(10)
    return model.eval()


def write_checkpoint(
    path: Path, spec: ModelSpec, seed: int = 0, excerpts: int = 3, steps: int = 300
) -> Path:
    """A checkpoint called after its file, with `excerpts` pieces of a noisy tone."""
    averaged = random_wavenet(spec, seed=seed).state_dict()
    raw = random_wavenet(spec, seed=seed + 100).state_dict()
    rng = np.random.default_rng(seed)
    tone = np.sin(np.arange(steps) / 5) * spec.classes / 3 + spec.classes / 2
    pieces = [
        {
            "codes": torch.from_numpy(
                np.clip(tone + rng.normal(0, 1, steps), 0, spec.classes - 1).astype(np.int32)
            ),
            "conditions": {c.name: c.values[i % len(c.values)] for c in spec.conditions},
        }
        for i in range(excerpts)
    ]
    checkpoint = Checkpoint(
        path.stem, spec, True, raw, averaged, 1234, 3.5, "someone's data, CC0", {}, pieces
    )
    save(path, checkpoint)
    return path
