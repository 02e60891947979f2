"""From a text to frames: silences where they belong, durations kept, unknown words named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runtime.speech.voices import PHONES, front_end, spec
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.speech import conv_net, linguistic
from wn_runtime.speech import front_end as module
from wn_runtime.speech.dictionary import parse
from wn_runtime.speech.front_end import EDGE_S, PAUSE_S
from wn_runtime.speech.spec import SpeechSpec

HOP_S = 0.01


def test_silence_stands_at_both_ends_and_between_words_recorded_one_by_one() -> None:
    spoken = front_end().spoken("four two", "ann")
    assert spoken.phones == ("sil", "F", "AO", "R", "sil", "T", "UW", "sil")
    assert spoken.frames[0] >= EDGE_S / HOP_S - 1
    assert spoken.frames[-1] >= EDGE_S / HOP_S - 1
    joined = front_end(spec(gaps=False)).spoken("four two", "ann")
    assert joined.phones == ("sil", "F", "AO", "R", "T", "UW", "sil")


def test_a_comma_is_a_longer_silence() -> None:
    spoken = front_end(spec(gaps=False)).spoken("four, two", "ann")
    assert spoken.phones[4] == "sil"
    assert spoken.frames[4] >= PAUSE_S / HOP_S - 1


def test_digits_are_words() -> None:
    assert front_end().spoken("42", "bob").phones == front_end().spoken("Four two!", "bob").phones


def test_frames_have_the_columns_that_the_features_name() -> None:
    voice = front_end()
    spoken = voice.spoken("two four", 1)
    frames = voice.rendered(spoken, 1)
    assert frames.shape == (spoken.frames.sum(), len(voice.spec.features.names))
    assert frames.dtype == np.float32
    columns = dict(zip(voice.spec.features.names, frames.T, strict=True))
    assert set(columns["voiced"]) <= {0.0, 1.0}
    phones, lengths = linguistic.phones_in(frames[:, 6:], PHONES)
    assert phones == spoken.phones
    np.testing.assert_array_equal(lengths, spoken.frames)


def test_frames_depend_on_text_speaker_and_rate_alone() -> None:
    first, second = front_end().frames("four", "ann"), front_end().frames("four", "ann")
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[:, :6], front_end().frames("four", "bob")[: len(first), :6])


def test_twice_the_rate_is_about_half_the_time() -> None:
    voice = front_end(spec(gaps=False))
    slow, fast = (voice.timed(("AO", "R", "F") * 20, "ann", rate) for rate in (1.0, 2.0))
    assert fast.frames.sum() == pytest.approx(slow.frames.sum() / 2, rel=0.1)


def test_rounding_does_not_change_the_tempo() -> None:
    voice = front_end()
    spoken = voice.timed(("AO",) * 100, "ann")
    assert spoken.frames.max() - spoken.frames[5:-5].min() <= spoken.frames.max()
    assert len(set(spoken.frames[10:-10].tolist())) <= 2


@pytest.mark.parametrize(
    ("text", "speaker", "rate", "message"),
    [
        ("five two", "ann", 1.0, "'five'"),
        ("five six", "ann", 1.0, r"2 words are not in the dictionary: 'five'.*, 'six'"),
        ("!!", "ann", 1.0, "no word in"),
        ("two", "eve", 1.0, "speaker 'eve' is unknown; this model has: ann, bob"),
        ("two", None, 1.0, "say who speaks: --speaker, one of ann, bob"),
        ("two", "ann", 9.0, "rate is 9.0; it must be 0.25 to 4.0"),
        ("two", "ann", float("nan"), "rate is nan"),
    ],
)
def test_what_cannot_be_said_is_one_line(
    text: str, speaker: str | None, rate: float, message: str
) -> None:
    with pytest.raises(WavestepError, match=message):
        front_end().frames(text, speaker, rate)


def test_a_text_that_fills_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    assert len(front_end().frames("four", "ann"))
    with pytest.raises(WavestepError, match=r"this text lasts \d+ s or more; give less of it"):
        front_end().frames("four " * 60, "ann")


def test_a_text_of_too_many_phones_is_refused_before_they_are_counted_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)
    monkeypatch.setattr(conv_net, "apply", None)
    with pytest.raises(WavestepError, match=r"this text lasts \d+ s or more"):
        front_end().spoken("four " * 400, "ann")


@pytest.mark.parametrize(
    ("weight", "value", "part"),
    [
        ("durations.output.weight", 3e38, "durations"),
        ("prosody.input.weight", 3e38, "prosody"),
        ("prosody.scale", 0.0, "spectrum"),
    ],
)
def test_weights_that_make_no_numbers_are_one_line(weight: str, value: float, part: str) -> None:
    weights = dict(front_end().weights)
    weights[weight] = np.full_like(weights[weight], value)
    damaged = module.FrontEnd(spec(), weights, front_end().dictionary)
    message = f"this voice's {part} are no finite numbers"
    with np.errstate(all="ignore"), pytest.raises(WavestepError, match=message):
        damaged.frames("four two", "ann")


def test_words_can_be_added_and_must_be_of_its_phones() -> None:
    more = front_end().with_words(parse("foot F UW T\n", "more.txt"), "more.txt")
    assert more.spoken("foot four", "ann").phones[1:4] == ("F", "UW", "T")
    with pytest.raises(WavestepError, match=r"more\.txt: phone 'ZH' is unknown; this voice has"):
        front_end().with_words(parse("zhuh ZH\n", "more.txt"), "more.txt")


def test_a_voice_without_mel_bands_and_of_one_speaker() -> None:
    features = Features(8000, 80, 320, level=True, pitch=True, phones=PHONES)
    voice = front_end(SpeechSpec(features, channels=4, layers=1, width=3))
    assert voice.frames("two four").shape[1] == len(features.names)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"phones": ("AO", "F")}, "phones with 'sil'"),
        ({"level": False}, "a level and a pitch"),
        ({"pitch": False}, "a level and a pitch"),
    ],
)
def test_a_spec_needs_phones_level_and_pitch(changed: dict[str, object], message: str) -> None:
    fields = {"mel": 3, "level": True, "pitch": True, "phones": PHONES, **changed}
    with pytest.raises(ValueError, match=message):
        SpeechSpec(Features(8000, 80, 320, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"speakers": ()}, "both, or none"),
        ({"width": 4}, "width is 4; it must be odd"),
        ({"channels": 0}, "channels is 0"),
        ({"layers": 99}, "layers is 99"),
    ],
)
def test_a_spec_of_nothing_that_can_be_is_refused(changed: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {"speaker": "speaker", "speakers": ("ann",), **changed}
    with pytest.raises(ValueError, match=message):
        SpeechSpec(spec().features, **fields)  # type: ignore[arg-type]
