"""What wn-inspect shows of a checkpoint, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wn_runtime.commands import spec_view
from wn_runtime.commands.table import aligned, titled
from wn_train.checkpoint import Checkpoint


def as_text(found: Checkpoint, path: Path) -> str:
    """A section each for its model, weights, clips, speech and configuration."""
    sections = [
        ("checkpoint", [f"{found.name}  ({path}, {path.stat().st_size / 1e6:.1f} MB)"]),
        ("spec", list(spec_view.spec_lines(found.spec))),
        ("conditions", list(spec_view.condition_lines(found.spec))),
        ("frames", list(spec_view.frame_lines(found.spec))),
        ("context", list(spec_view.context_lines(found.spec))),
        ("training", list(_training(found))),
        ("weights", list(_weights(found))),
        ("clips", list(_clips(found))),
        ("speech", list(_speech(found))),
        ("config", [f"{key}: {_short(value)}" for key, value in found.config.items()]),
        ("data", [found.attribution] if found.attribution else []),
    ]
    return aligned(titled(sections))


def _training(found: Checkpoint) -> Iterator[str]:
    yield f"{found.step} steps"
    if found.valid_bits is not None:
        more = "" if found.valid_bits_16 is None else f" ({found.valid_bits_16:.4f} of 16 bits)"
        yield f"{found.valid_bits:.4f} bits per sample{more} on valid"
    if found.training:
        yield "can go on: it has the optimiser's state (wn-train --resume, of its run's folder)"
    else:
        yield "released: without the optimiser's state (wn-train --init trains on with its weights)"


def _weights(found: Checkpoint) -> Iterator[str]:
    for name, state in (("averaged", found.ema), ("last step's", found.model)):
        if state:
            numbers = sum(tensor.numel() for tensor in state.values())
            yield f"{name}: {len(state)} tensors, {numbers:,} numbers"
    if found.weight_norm:
        yield "with weight norm"


def _clips(found: Checkpoint) -> Iterator[str]:
    """The held-back audio that parity is proven on."""
    counted: Counter[str] = Counter()
    for clip in found.clips:
        seconds = len(clip["samples"]) / found.spec.sample_rate
        values = ", ".join(f"{name} {value}" for name, value in clip["conditions"].items())
        counted[f"{seconds:.2f} s{', ' * bool(values)}{values}"] += 1
    yield from (f"{count} × {line}" for line, count in counted.items())


def _speech(found: Checkpoint) -> Iterator[str]:
    if found.speech is not None:
        words = found.speech.dictionary.count("\n")
        yield f"{len(found.speech.spec.features.phones)} phones, {words} words"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:99]}…"


def as_json(found: Checkpoint) -> dict[str, Any]:
    """The same for a program."""
    return {
        "name": found.name,
        "spec": found.spec.to_dict(),
        "parameters": found.spec.parameters,
        "receptive_field": found.spec.receptive_field,
        "step": found.step,
        "valid_bits": found.valid_bits,
        "valid_bits_16": found.valid_bits_16,
        "released": not found.training,
        "weights": {"averaged": bool(found.ema), "last": bool(found.model)},
        "clips": [
            {"samples": len(clip["samples"]), "conditions": clip["conditions"]}
            for clip in found.clips
        ],
        "speech": None
        if found.speech is None
        else {"phones": list(found.speech.spec.features.phones)},
        "config": found.config,
        "attribution": found.attribution,
    }
