"""A checkpoint as a run writes it, and its file taken apart and put together again otherwise."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models import specs
from tests.train.models import random_model
from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint
from wn_train.checkpoint import Checkpoint
from wn_train.config import Config, TrainingConfig
from wn_train.training import optimizer

SPEC = specs.CORNERS["two_conditions"]
Change = Callable[[dict[str, Any]], object]


def checkpoint_of(spec: ModelSpec = SPEC, weight_norm: bool = False) -> Checkpoint:
    """After one step of a small random model."""
    model = random_model(spec, weight_norm)
    adam = optimizer.make(model, TrainingConfig())
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    adam.step()
    return Checkpoint(
        name="voice",
        spec=spec,
        weight_norm=weight_norm,
        model=model.state_dict(),
        ema=random_model(spec, weight_norm, seed=1).state_dict(),
        step=7,
        valid_bits=3.5,
        attribution="thanks",
        config=strict.plain(Config()),
        clips=[{"samples": torch.arange(5), "conditions": {"speaker": "ann", "mood": "calm+loud"}}],
        training={"optimizer": adam.state_dict(), "position": [1, 2], "best": 3.25},
    )


def written(path: Path, spec: ModelSpec = SPEC, change: Change | None = None) -> Path:
    """Its file; with `change`, of whatever is then in it, as torch.save writes that."""
    checkpoint.save(path, checkpoint_of(spec))
    if change is not None:
        data = torch.load(path, weights_only=True)
        change(data)
        torch.save(data, path)
    return path


def members(path: Path) -> dict[str, bytes]:
    """What is in an archive, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of that, with sums that are right."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, data in content.items():
            made.writestr(name, data)
    return file.getvalue()


def with_pickle(path: Path, pickle: bytes) -> None:
    """Put another data.pkl into an archive."""
    content = members(path)
    name = next(name for name in content if name.endswith("/data.pkl"))
    path.write_bytes(archive({**content, name: pickle}))


def refusal(path: Path) -> str:
    """How it is refused: one short line that begins with the file."""
    with pytest.raises(WavestepError) as error:
        checkpoint.load(path)
    message = str(error.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 1000
    return message
