"""From a cold process to the first sample of wn-run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.model_dir import write_model
from tests.models.specs import PLAIN, small_spec
from wn_export.bench import first_audio as bench
from wn_export.bench.first_audio import first_audio
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.errors import WavestepError


def test_a_cold_start_of_wn_run_is_timed(tmp_path: Path) -> None:
    model = write_model(tmp_path / "voice", PLAIN)
    found = first_audio(model, "onnx", "fp32", threads=1, tries=1)
    assert found.ms > 0
    assert found.memory_mb is None or found.memory_mb > 10


def test_a_model_of_frames_is_given_some(tmp_path: Path) -> None:
    local = LocalFrames(3, 200, 4, (3,), False, "linear", 10)
    spec = small_spec(conditioning=(local,))
    model = write_model(tmp_path / "voice", spec)
    assert first_audio(model, "onnx", "fp32", 1, spec, tries=1).ms > 0


def test_nothing_of_the_working_directory_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "voice", PLAIN)
    for name in ("json.py", "wn_runtime.py", "sitecustomize.py", "numpy.py"):
        (tmp_path / name).write_text("open('was_run', 'w'); raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ".")
    assert first_audio(Path("voice"), "onnx", "fp32", threads=1, tries=1).ms > 0
    assert not (tmp_path / "was_run").exists()


def test_one_that_makes_no_sound_says_why(tmp_path: Path) -> None:
    model = write_model(tmp_path / "voice", PLAIN)
    with pytest.raises(WavestepError, match=r"makes no sound: error: .*int8"):
        first_audio(model, "onnx", "int8", threads=1, tries=1)


@pytest.mark.parametrize(
    ("code", "said", "patience"),
    [
        ("import time; time.sleep(1000)", r"in 2 s", 2),
        ("import sys; sys.stderr.write('\\x1b[31mred\\n')", r"\\x1b\[31mred", 60),
        ("import os\nwhile True: os.write(2, b'x\\n' * 99999)", r"in 2 s|x", 2),
        ("", "it says nothing", 60),
    ],
)
def test_one_that_hangs_or_floods_is_ended(
    tmp_path: Path, code: str, said: str, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "PATIENCE_S", patience)
    monkeypatch.setattr(bench, "_WN_RUN", code)
    with pytest.raises(WavestepError, match=f"wn-run makes no sound: ({said})"):
        first_audio(tmp_path, "onnx", "fp32", threads=1, tries=1)
