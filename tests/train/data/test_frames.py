"""Frames are read with the recordings that they are of, and checked against them first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.models.specs import small_spec
from tests.train.framed_corpus import CHANNELS, HOP, write_framed
from wn_runtime.conditioning import frame_file
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.errors import WavestepError
from wn_runtime.heads.softmax import Softmax
from wn_train.data import audio, corpus, frames
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Chunk, collate
from wn_train.data.clips import choose_clips


def load(folder: Path, channels: int = 0) -> list[Utterance]:
    found = corpus.read(folder, framed=True)
    _, utterances = audio.load(found, 0, Softmax(16), print)
    return frames.load(utterances, HOP, channels)


def test_every_utterance_has_its_frames_and_the_training_splits_mean(tmp_path: Path) -> None:
    folder = write_framed(tmp_path)
    utterances = load(folder)
    every = [np.load(folder / "mels" / f"{i}.npy") for i in range(6)]
    for utterance, expected in zip(utterances, every, strict=True):
        assert utterance.frames is not None
        assert utterance.padding is not None
        np.testing.assert_array_equal(utterance.frames, expected)
        np.testing.assert_allclose(utterance.padding, np.concatenate(every[:4]).mean(0), rtol=1e-6)
    assert [c.name for c in corpus.read(folder).conditions] == ["speaker"]


def test_past_a_files_own_frames_there_is_the_mean(tmp_path: Path) -> None:
    utterances = load(write_framed(tmp_path))
    local = LocalFrames(CHANNELS, HOP, 4, (3,), False, "linear", 10)
    spec = small_spec(conditioning=(local,))
    first = utterances[0]
    assert first.frames is not None
    length = len(first.samples) + 3 * HOP  # a silent tail
    batch = collate([Chunk(0, 0, 0, length)], utterances, spec)
    assert batch.frames is not None
    own = len(first.frames)
    assert batch.frames.shape == (1, own + 3 + 2, CHANNELS)
    np.testing.assert_array_equal(batch.frames[0, :own], first.frames)
    assert (batch.frames[0, own:].numpy() == first.padding).all()
    (clip, *_) = choose_clips(utterances[4:], spec)
    assert (clip["frames"][-2:].numpy() == first.padding).all()


@pytest.mark.parametrize("more", [-1, 1])
def test_a_frame_more_or_fewer_is_what_tools_make(tmp_path: Path, more: int) -> None:
    folder = write_framed(tmp_path)
    path = folder / "mels" / "2.npy"
    given = np.load(path)
    np.save(path, given[:-1] if more < 0 else np.concatenate([given, given[-1:]]))
    found = load(folder)[2].frames
    assert found is not None
    assert len(found) == len(given) + more


def saved(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], object]:
    return lambda path: np.save(path, change(np.load(path)))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), r"3\.npy does not exist"),
        (lambda path: path.write_bytes(b"x"), r"3\.npy cannot be read as frames: it is no array"),
        (saved(lambda f: f[:, :2]), r"3\.npy: it has 2 channels; the model takes 3"),
        (
            saved(lambda f: f[:-2]),
            r"3\.npy: it has 14 frames; 3\.wav has 640 samples, which at a hop of 40 are 16 frames",
        ),
        (saved(lambda f: np.repeat(f, 2, axis=0)), r"3\.npy: it has 32 frames; .* are 16 frames"),
        (saved(lambda f: f * np.nan), r"3\.npy cannot be read as frames: frame 0 holds NaN"),
        (saved(lambda f: f.astype(np.int32)), r"3\.npy .* it is <i4 \(16, 3\); frames are float32"),
    ],
)
def test_one_broken_file_is_named_before_training(
    tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    folder = write_framed(tmp_path)
    spoil(folder / "mels" / "3.npy")
    with pytest.raises(WavestepError, match=f"{message}.*; mend or remove it, nothing was trained"):
        load(folder)


def test_every_faulty_file_is_counted_and_the_width_may_be_said(tmp_path: Path) -> None:
    folder = write_framed(tmp_path)
    with pytest.raises(
        WavestepError, match=r"0\.npy: it has 3 channels; the model takes 80 \(and 5"
    ):
        load(folder, 80)
    assert len(load(folder, 3)) == 6


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../out.npy", r"line 3: frames '\.\./out\.npy' lies outside"),
        ("/etc/passwd", "line 3: frames '/etc/passwd' lies outside"),
        ("link.npy", "line 3: frames 'link.npy' lies outside"),
        ("loop.npy", "loop.npy cannot be read as frames: "),
        ("", "line 3: frames is empty; name a .npy file"),
        ("x" * 300, "cannot be read as frames: File name too long"),
    ],
)
def test_files_lie_in_the_data_folder(tmp_path: Path, name: str, message: str) -> None:
    folder = write_framed(tmp_path / "data")
    np.save(tmp_path / "out.npy", np.zeros((14, 3)))
    (folder / "link.npy").symlink_to(tmp_path / "out.npy")
    (folder / "loop.npy").symlink_to("loop.npy")
    metadata = folder / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("mels/1.npy", name))
    with pytest.raises(WavestepError, match=message):
        load(folder)


def test_a_folder_without_the_column_is_one_line(tmp_path: Path) -> None:
    folder = write_framed(tmp_path)
    metadata = folder / "metadata.csv"
    metadata.write_text(metadata.read_text().replace(",frames\n", ",tone\n"))
    with pytest.raises(WavestepError, match=r"has no column 'frames', which \[model\.frames\]"):
        corpus.read(folder, framed=True)


def test_frames_that_do_not_fit_into_memory_are_not_begun_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_framed(tmp_path)
    monkeypatch.setattr(frames, "available_bytes", lambda: 100)
    monkeypatch.setattr(frame_file, "read", lambda path: pytest.fail("it was read"))
    with pytest.raises(WavestepError, match=r"the frames need .* GiB of memory"):
        load(folder)


def test_reading_can_be_left_before_any_file(tmp_path: Path) -> None:
    _, utterances = audio.load(corpus.read(write_framed(tmp_path)), 0, Softmax(16), print)
    opened = iter(range(9))

    def leave() -> None:
        if next(opened) == 8:  # six heads, and two files
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frames.load(utterances, HOP, 0, leave)


def test_a_file_that_grew_into_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    folder = write_framed(tmp_path)
    (folder / "mels" / "3.npy").unlink()
    os.mkfifo(folder / "mels" / "3.npy")
    with pytest.raises(WavestepError, match="it is a named pipe"):
        load(folder)
