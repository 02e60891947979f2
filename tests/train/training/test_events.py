"""TensorBoard's event file: what TensorBoard reads, and a disk that takes no more."""

from __future__ import annotations

import io
import resource
import signal
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.train.recordings import RATE, tone
from wn_train.training.events import Events


def read(directory: Path) -> Any:
    reader: Any = import_module("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(directory), size_guidance={"scalars": 0})
    return events.Reload()


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    said: list[str] = []
    events = Events(tmp_path / "tensorboard", said.append)
    for step in range(5):
        events.scalar("train/bits", 8 - step, step)
    events.audio("audio/ann", tone(300, 0.1), RATE, 7)
    events.image("spectrogram/ann", np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4), 7)
    events.close()
    found = read(tmp_path / "tensorboard")
    points = [(point.step, point.value) for point in found.Scalars("train/bits")]
    assert points == [(0, 8), (1, 7), (2, 6), (3, 5), (4, 4)]
    sound = found.Audio("audio/ann")[0]
    wave, rate = soundfile.read(io.BytesIO(sound.encoded_audio_string))
    assert (rate, sound.step, sound.content_type) == (RATE, 7, "audio/wav")
    np.testing.assert_allclose(wave, tone(300, 0.1), atol=1e-4)
    picture = found.Images("spectrogram/ann")[0]
    assert (picture.width, picture.height) == (4, 3)
    grey = np.asarray(Image.open(io.BytesIO(picture.encoded_image_string)))
    assert (grey[0, 0], grey[2, 3]) == (0, 255)
    assert said == []


def test_an_event_is_on_the_disk_when_the_call_returns(tmp_path: Path) -> None:
    threads = set(threading.enumerate())  # of which some may be on their way out
    events = Events(tmp_path, pytest.fail)
    for step in range(3):
        events.scalar("a", 1.0, step)
        assert len(read(tmp_path).Scalars("a")) == step + 1
    events.close()
    assert set(threading.enumerate()) <= threads


def test_nothing_is_made_before_there_is_something_to_say(tmp_path: Path) -> None:
    Events(tmp_path / "tensorboard", pytest.fail).close()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_more_is_said_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    events = Events(tmp_path, said.append)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        for step in range(20):
            events.scalar("a", 1.0, step)
        events.image("b", np.zeros((2, 2), np.float32), 20)
        events.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert said == ["no more goes to TensorBoard (File too large); training goes on"]
    assert 0 < len(read(tmp_path).Scalars("a")) < 20, "what was written can be read"
    del events
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").touch()
    said: list[str] = []
    events = Events(tmp_path / "tensorboard", said.append)
    events.scalar("a", 1.0, 0)
    events.scalar("a", 1.0, 1)
    events.close()
    assert said == ["no more goes to TensorBoard (File exists); training goes on"]
