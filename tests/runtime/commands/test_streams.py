"""Standard streams that are closed, full or of another encoding end nothing badly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS

RUN = f"{sys.executable} -c 'from wn_runtime.commands.run import main; main()'"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_model(tmp_path / "voice", CORNERS["plain"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(here: Path, closed: str) -> None:
    """A file that is opened must not get the number of one: what is printed would go there."""
    done = shell(f"{RUN} voice --engine onnx --seconds 0.05 -o a.wav {closed}")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in here.iterdir()) == ["a.wav", "voice"]
    shell(f"{RUN} voice --engine onnx --seconds 0.05 -o b.wav")
    assert (here / "a.wav").read_bytes() == (here / "b.wav").read_bytes()


def test_raw_audio_needs_an_open_stdout(here: Path) -> None:
    done = shell(f"{RUN} {here}/voice --engine onnx --seconds 0.05 --raw - >&-")
    assert done.returncode == 2
    assert done.stderr == "error: stdout is closed; give a file with -o, or a reader\n"


@pytest.mark.parametrize("full", ["> /dev/full", "2> /dev/full", "> /dev/full 2> /dev/full"])
def test_full_streams_are_an_error_without_a_traceback(here: Path, full: str) -> None:
    done = shell(f"{RUN} {here}/voice --engine onnx --seconds 0.05 -o a.wav {full}")
    assert done.returncode in (0, 2)
    assert done.stderr in ("", "error: stdout cannot be written: No space left on device\n")
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("arguments", ["-o -", "--raw -", "--help", "--version"])
def test_a_full_disk_beneath_stdout_is_named_as_that(here: Path, arguments: str) -> None:
    done = shell(f"{RUN} {here}/voice --engine onnx --seconds 0.05 {arguments} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: stdout cannot be written: No space left on device\n"


@pytest.mark.parametrize("arguments", ["-o a.wav", "--raw -", "--help"])
def test_a_pipe_that_nobody_reads_is_one_exit_code_and_no_words(here: Path, arguments: str) -> None:
    given = f"{here}/voice --engine onnx --seconds 0.05 {arguments}"
    line = f"set -o pipefail; {{ sleep 1; {RUN} {given}; }} | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 141
    assert all(each.startswith("note: ") for each in done.stderr.splitlines()), done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "cp1252"])
def test_what_an_encoding_lacks_is_printed_as_an_escape(here: Path, encoding: str) -> None:
    done = shell(
        f"{RUN} voice --engine onnx --seconds 0.05 -o a.wav >out 2>err", PYTHONIOENCODING=encoding
    )
    assert done.returncode == 0
    shown = "utf-8" if encoding == "ascii" else encoding  # click takes ASCII for a mistake
    assert "1 thread" in (here / "out").read_text(shown)
    assert not (here / "err").read_text(shown)
