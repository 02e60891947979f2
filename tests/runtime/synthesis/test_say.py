"""A voice says a text: as long as its phones, the same for a seed, one line for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wn_runtime
from tests.models.speaking import HOP, write_voice
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.synthesis import model as synthesis
from wn_runtime.synthesis.stream import Stream

WORDS = "ta T AA\nat AA T\n"


def audio(stream: Stream) -> np.ndarray:
    assert stream.available is not None
    return stream.read(stream.available)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    return write_voice(tmp_path / "voice", WORDS)


def test_it_is_as_long_as_its_frames_and_the_same_for_a_seed(voice: Path) -> None:
    with wn_runtime.open(voice, "onnx") as model:
        assert model.front_end is not None
        frames = model.front_end.frames("ta at", "ann")
        one, two, other = (audio(model.say("ta at", s, speaker="ann")) for s in (3, 3, 4))
        assert len(one) == len(frames) * HOP
        np.testing.assert_array_equal(one, two)
        assert not np.array_equal(one, other)


def test_it_is_what_pushed_frames_make(voice: Path) -> None:
    with wn_runtime.open(voice, "onnx") as model:
        assert model.front_end is not None
        stream = model.stream(seed=3, speaker="bob")
        stream.push(model.front_end.frames("at", "bob"), last=True)
        np.testing.assert_array_equal(audio(stream), audio(model.say("at", 3, speaker="bob")))


def test_slower_voices_of_a_batch_are_waited_for(tmp_path: Path) -> None:
    voice = write_voice(tmp_path / "two", WORDS, batch=2)
    with wn_runtime.open(voice, "onnx", batch=2) as model:
        assert model.front_end is not None
        lengths = [len(model.front_end.frames("ta at ta", who)) for who in ("ann", "bob")]
        both = audio(model.say("ta at ta", [1, 2], speaker=["ann", "bob"]))
        assert both.shape == (max(lengths) * HOP, 2)


def test_what_fills_the_memory_for_all_voices_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "_MOST_BYTES", 20_000)
    voice = write_voice(tmp_path / "two", WORDS, batch=2)
    model = wn_runtime.open(voice, "onnx", batch=2)
    with model, pytest.raises(WavestepError, match="too long for 2 voices at a time"):
        model.say("ta " * 20, speaker="ann")


def test_a_dictionary_of_other_phones_is_refused(voice: Path) -> None:
    (voice / manifests.DICTIONARY).write_text("ta T OW\n")
    known = manifests.with_file(manifests.read(voice), voice / manifests.DICTIONARY)
    manifests.write(voice, known)
    with pytest.raises(WavestepError, match=r"dictionary\.txt: phone 'OW' is unknown"):
        wn_runtime.open(voice, "onnx")


def test_mistakes_are_one_line(voice: Path) -> None:
    with wn_runtime.open(voice, "onnx") as model:
        for text, more, message in (
            ("tu", {"speaker": "ann"}, "'tu'"),
            ("ta", {}, "say who speaks: --speaker, one of ann, bob"),
            ("ta", {"speaker": "eve"}, "speaker 'eve' is unknown"),
            ("ta", {"speaker": "ann", "rate": 0.1}, "rate is 0.1"),
            ("ta", {"speaker": "ann", "mood": "calm"}, "'mood' is unknown"),
        ):
            with pytest.raises(WavestepError, match=message):
                model.say(text, **more)
        none: Any
        for none in (None, 7, b"ta"):
            with pytest.raises(TypeError, match="text must be a string, not "):
                model.say(none, speaker="ann")


def test_a_front_end_that_is_not_the_models_is_refused(voice: Path) -> None:
    manifest = voice / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"speakers": [\n   "ann"', '"speakers": [\n   "eve"'))
    assert manifest.read_text() != text
    with pytest.raises(WavestepError, match="its speakers are not those of the model"):
        wn_runtime.open(voice, "onnx")


@pytest.mark.parametrize("name", ["speech.safetensors", "dictionary.txt"])
def test_a_changed_or_missing_file_is_named(voice: Path, name: str) -> None:
    whole = (voice / name).read_bytes()
    (voice / name).write_bytes(whole[:-1])
    with pytest.raises(WavestepError, match=rf"{name} has \d+ bytes, manifest.json says"):
        wn_runtime.open(voice, "onnx")
    (voice / name).write_bytes(whole[:-1] + b"~")
    with pytest.raises(WavestepError, match=f"{name} is not the file manifest.json describes"):
        wn_runtime.open(voice, "onnx")
    (voice / name).unlink()
    with pytest.raises(WavestepError, match=f"{name} cannot be read"):
        wn_runtime.open(voice, "onnx")
