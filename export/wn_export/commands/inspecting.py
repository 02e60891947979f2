"""wn-inspect: checkpoints, and what the runtime's own part of it shows: model directories."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wn_runtime.commands import inspect, next_step, say
from wn_runtime.commands.command import command
from wn_runtime.commands.table import aligned
from wn_runtime.errors import WavestepError
from wn_train.pytorch_needed import pytorch_needed

if TYPE_CHECKING:
    from wn_train.checkpoint import Checkpoint

_SUFFIXES = (".pt", ".pth", ".ckpt")


@command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def main(path: Path, json_: bool) -> int:
    """What a model directory, a file in it, a checkpoint or a run's folder holds.

    Of a model directory: spec, conditions, state, engines, files and parity. Exit code 1 when a
    file is missing or not the one its record describes. Nothing in what is looked at is run.
    """
    best = path / "best.pt"
    if best.is_file() and not (path / "manifest.json").exists():  # the folder of a wn-train run
        path = best
    if path.suffix.lower() not in _SUFFIXES:
        return inspect.show(path, json_)
    if not path.is_file():
        raise WavestepError(f"{path} is not there; name a checkpoint, or a model directory")
    with pytorch_needed(f"wn-inspect of a checkpoint ({path.name})"):
        from wn_train import checkpoint
    found = checkpoint.load(path)
    if json_:
        say.as_json(_as_json(found))
        return 0
    say.table(_text(found, path))
    say.line("")
    say.line(next_step.line("wn-export", path))
    return 0


def _text(found: Checkpoint, path: Path) -> str:
    sections = [
        ("checkpoint", [f"{found.name}  ({path}, {path.stat().st_size / 1e6:.1f} MB)"]),
        ("spec", list(inspect.spec_lines(found.spec))),
        ("conditions", list(inspect.condition_lines(found.spec))),
        ("frames", list(inspect.frame_lines(found.spec))),
        ("context", list(inspect.context_lines(found.spec))),
        ("training", list(_training(found))),
        ("weights", list(_weights(found))),
        ("clips", list(_clips(found))),
        ("speech", list(_speech(found))),
        ("config", [f"{key}: {_short(value)}" for key, value in found.config.items()]),
        ("data", [found.attribution] if found.attribution else []),
    ]
    return aligned(inspect.titled(sections))


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


def _as_json(found: Checkpoint) -> dict[str, Any]:
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
