"""Engines leave the caller's arithmetic as it was: denormal numbers stay what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_uniforms
from wn_runtime.engines.choice import open_engine


@pytest.mark.parametrize("name", ["onnx", "native"])
def test_denormal_numbers_survive_an_engine(tmp_path: Path, name: str) -> None:
    engine = open_engine(write_model(tmp_path / "model", CORNERS["plain"]), name)
    engine.generate(None, random_uniforms(20))
    engine.close()
    assert np.array([1e-310])[0] * 1.0 > 0
    assert (np.full(64, 1e-310) * 1.0 > 0).all()
