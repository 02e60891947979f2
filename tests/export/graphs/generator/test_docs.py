"""What docs/generator.md has for a model with frames, run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.model_dir import write_model
from tests.models.specs import SPEAKER, small_spec
from tests.runtime.conditioning.local import HOP
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.engines.choice import open_engine
from wn_runtime.model.package import ModelPackage

TEXT = (Path(__file__).parents[4] / "docs" / "generator.md").read_text("utf-8")
FRAMES = LocalFrames(3, HOP, 5, (5, 3), False, "linear", 4)


def test_frames_block_by_block_are_what_an_engine_makes_of_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_spec((1, 2, 70), conditioning=(GlobalConditions((SPEAKER,)), FRAMES))
    voice = write_model(tmp_path / "voice", spec, generator=True)
    conditioner = ModelPackage(voice).conditioner
    frames = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)
    np.save(tmp_path / "frames.npy", frames)
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    seeded = block.replace("default_rng()", "default_rng(5)")
    exec(compile(seeded, "docs/generator.md", "exec"), names)
    audio = names["audio"]

    size, random = names["block"], np.random.default_rng(5)
    calls = len(audio) // size
    assert calls > 20
    uniforms = np.concatenate(
        [random.integers(0, 2**24, (size, 1, 1), np.int32) for _ in range(calls)]
    )
    needed = frames[: conditioner.timing.frames(len(audio)), None]
    bias = conditioner.whole({"speaker": "bob"}, 1, len(audio), needed)
    samples = open_engine(voice, "onnx").generate(bias, uniforms)
    np.testing.assert_array_equal(audio, spec.decode(samples))
