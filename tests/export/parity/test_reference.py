"""reference.npz comes back as it was written; audio becomes classes or one plain line."""

import numpy as np
import pytest
import soundfile

from wn_export.parity import reference
from wn_export.parity.reference import Answer, Excerpt, FreeRun, Reference
from wn_runtime.errors import WavestepError
from wn_runtime.heads import mulaw


def small_reference(classes=256):
    rng = np.random.default_rng(0)
    excerpts, answers = [], []
    for length in (50, 31):
        codes = rng.integers(0, classes, length).astype(np.int32)
        logits = rng.standard_normal((length, classes)).astype(np.float32)
        steps = np.arange(0, length, 7)
        excerpts.append(Excerpt(codes, {"speaker": "theo", "mood": "calm+loud"}))
        answers.append(Answer(reference.surprise(logits, codes), steps, logits[steps]))
    free = FreeRun({"speaker": "ann"}, 5, rng.integers(0, classes, 80).astype(np.int32))
    return Reference("two clips", tuple(excerpts), tuple(answers), free)


@pytest.mark.parametrize("classes", [16, 256, 1000])
def test_a_reference_comes_back_as_it_was_written(tmp_path, classes):
    written = small_reference(classes)
    reference.save(tmp_path / "reference.npz", written)
    read = reference.load(tmp_path / "reference.npz")
    assert (read.material, read.bits) == (written.material, written.bits)
    assert read.largest_logit == written.largest_logit
    for one, other in zip(written.excerpts, read.excerpts, strict=True):
        np.testing.assert_array_equal(one.codes, other.codes)
        assert one.conditions == other.conditions
    for one, other in zip(written.answers, read.answers, strict=True):
        for field in ("bits", "steps", "logits"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    np.testing.assert_array_equal(read.free.samples, written.free.samples)
    assert (read.free.conditions, read.free.seed) == ({"speaker": "ann"}, 5)


def test_a_broken_reference_is_named(tmp_path):
    path = tmp_path / "reference.npz"
    with pytest.raises(WavestepError, match=r"reference\.npz is missing"):
        reference.load(path)
    reference.save(path, small_reference())
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", x=1)
    for data in (b"", b"garbage", whole[:300], whole[: len(whole) // 2],
                 (tmp_path / "other.npz").read_bytes()):  # fmt: skip
        path.write_bytes(data)
        with pytest.raises(WavestepError, match=r"reference\.npz cannot be read"):
            reference.load(path)


def test_bits_are_minus_log2_of_the_probability():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375]], np.float32)) + 300
    codes = np.array([1, 0], np.int32)
    np.testing.assert_allclose(reference.surprise(logits, codes), [2, 3], rtol=1e-4)


def test_audio_is_mixed_to_mono_and_resampled(tmp_path):
    time = np.arange(16000) / 16000
    tone = np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "tone.wav", np.stack([tone * 0.6, tone * 0.2], axis=1), 16000)
    codes = reference.read_audio(tmp_path / "tone.wav", 8000, 256)
    assert len(codes) == 8000
    expected = 0.4 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    middle = slice(200, -200)
    np.testing.assert_allclose(mulaw.decode(codes)[middle], expected[middle], atol=0.02)


def test_audio_of_another_rate_without_a_resampler_is_refused(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "tone.wav", np.zeros(100), 44100)
    monkeypatch.setitem(__import__("sys").modules, "soxr", None)
    with pytest.raises(WavestepError, match=r"tone\.wav has 44100 Hz, the model 8000 Hz; convert"):
        reference.read_audio(tmp_path / "tone.wav", 8000, 256)


def test_audio_that_is_none_is_one_line(tmp_path):
    (tmp_path / "text.wav").write_text("hello")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "nan.wav", np.array([0, np.nan]), 8000, subtype="FLOAT")
    for name, fault in (
        ("text.wav", "cannot be read as audio"),
        ("absent.wav", "cannot be read as audio: it does not exist"),
        ("empty.wav", "is empty"),
        ("nan.wav", "is not finite"),
    ):
        with pytest.raises(WavestepError, match=rf"{name} {fault}"):
            reference.read_audio(tmp_path / name, 8000, 256)
