"""What is missing to hear anything, each with its own remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.doctor.machines import Described, script
from wn_runtime import installation
from wn_runtime.doctor import audio


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("ModuleNotFoundError: No module named 'sounddevice'", installation.install("play")),
        ("OSError: PortAudio library not found", "libportaudio2"),
        ("sounddevice.PortAudioError: Error querying device -1", "-o"),
    ],
)
def test_each_way_of_having_no_loudspeaker_has_its_own_fix(
    tmp_path: Path, error: str, fix: str
) -> None:
    script(tmp_path / "bin", "apt-get", "")
    machine = Described(tmp_path, {"sounddevice": {"error": error}}, str(tmp_path / "bin"))
    found = audio.output(machine)
    assert found.state == "missing"
    assert fix in found.fix


def test_without_libsndfile_raw_audio_is_what_is_left(tmp_path: Path) -> None:
    error = {"error": "OSError: sndfile library not found"}
    script(tmp_path / "bin", "apt-get", "")
    found = audio.files(Described(tmp_path, {"soundfile": error}, str(tmp_path / "bin")))
    assert found.state == "missing"
    assert "--raw" in found.detail
    assert "libsndfile1" in found.fix
