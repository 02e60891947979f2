"""From a cold process to the first sample of wn-run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.model_dir import write_model
from tests.specs import PLAIN
from wn_export.bench.first_audio import first_audio
from wn_runtime.errors import WavestepError


def test_a_cold_start_of_wn_run_is_timed(tmp_path: Path) -> None:
    model = write_model(tmp_path / "voice", PLAIN)
    found = first_audio(model, "onnx", "fp32", threads=1, tries=1)
    assert found.ms > 0
    assert found.memory_mb is None or found.memory_mb > 10


def test_one_that_makes_no_sound_says_why(tmp_path: Path) -> None:
    model = write_model(tmp_path / "voice", PLAIN)
    with pytest.raises(WavestepError, match=r"makes no sound: error: .*int8"):
        first_audio(model, "onnx", "int8", threads=1, tries=1)
