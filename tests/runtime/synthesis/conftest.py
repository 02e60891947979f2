"""A model with two conditions that streams are made of, one voice or three at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.synthesis.model import Model


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", CORNERS["two_conditions"])


@pytest.fixture
def model(directory: Path) -> Iterator[Model]:
    """Streams of one voice."""
    with wn_runtime.open(directory, "onnx") as model:
        yield model


@pytest.fixture
def trio(directory: Path) -> Iterator[Model]:
    """Streams of three voices."""
    with wn_runtime.open(directory, "onnx", batch=3) as model:
        yield model
