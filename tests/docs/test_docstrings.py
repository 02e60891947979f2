"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS

ROOT = Path(__file__).parents[2]
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts[1:])
    for path in ROOT.glob("*/wn_*/**/*.py")
    if ">>>" in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `wn`, and a model with a speaker and tags, in the folder `voice`, and a stream of it."""
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "voice", CORNERS["two_conditions"])
    with wn_runtime.open("voice", "onnx") as model, model.stream() as stream:
        known = {"wn": wn_runtime, "model": model, "stream": stream}
        module = importlib.import_module(name)
        failed, tried = doctest.testmod(module, extraglobs=known, report=True)
    assert tried > 0
    assert failed == 0


def test_there_are_some() -> None:
    assert {"wn_runtime.synthesis.model", "wn_runtime.synthesis.stream"} <= set(WITH_EXAMPLES)
