"""A front end learns what can be told from phones and speakers."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.runtime.speech.voices import FEATURES, PHONES, SPEAKERS, spec, words
from wn_runtime.speech import linguistic
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.speech.spec import SpeechSpec
from wn_train.speech.config import SpeechConfig
from wn_train.speech.learning import Spoken, learn

LENGTHS = {"sil": 12, "F": 4, "AO": 9, "R": 5, "T": 3, "UW": 14}
VOICED = ("AO", "R", "UW")
PITCH = (np.log(100), np.log(200))
SPEC: SpeechSpec = dataclasses.replace(spec(), channels=24)


def recordings() -> list[Spoken]:
    """Two speakers at two pitches; bands that follow phone and level."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(24):
        phones = ["sil", *rng.choice(PHONES[1:], 6), "sil"]
        lengths = [LENGTHS[phone] for phone in phones]
        rows = linguistic.columns(phones, lengths, PHONES)
        named = np.repeat(phones, lengths)
        voiced = np.isin(named, VOICED).astype(np.float32)
        level = np.where(named == "sil", -8, -2) + rng.normal(0, 0.05, len(named))
        pitch = PITCH[i % 2] + rng.normal(0, 0.02, len(named))
        bands = np.stack([voiced - 3, level + 1, level * 0 - 5 + (named == "F")], axis=1)
        prosody = np.stack([level, pitch, voiced], axis=1)
        found.append(Spoken(np.concatenate([bands, prosody, rows], 1).astype(np.float32), i % 2))
    return found


def learned(seed: int = 0, steps: int = 300) -> FrontEnd:
    config = SpeechConfig(channels=24, layers=2, width=3, steps=steps, dropout=0.0)
    weights = learn(SPEC, recordings(), config, seed, bf16=False, check=lambda: None)
    assert {name: value.shape for name, value in weights.items()} == SPEC.shapes()
    return FrontEnd(SPEC, weights, words())


def test_durations_pitch_voicing_level_and_bands_are_learned() -> None:
    voice = learned()
    spoken = voice.timed(["sil", "F", "AO", "R", "sil"], "bob")
    expected = [LENGTHS[phone] for phone in spoken.phones]
    np.testing.assert_allclose(spoken.frames, expected, atol=1)
    for speaker, pitch in zip(SPEAKERS, PITCH, strict=True):
        frames = voice.rendered(spoken, speaker)
        columns = dict(zip(FEATURES.names, frames.T, strict=True))
        voiced = np.isin(np.repeat(spoken.phones, spoken.frames), VOICED)
        assert np.mean((columns["voiced"] > 0) == voiced) > 0.9
        assert abs(columns["ln F0"][voiced].mean() - pitch) < 0.1
        silent = columns["phone sil"] > 0
        assert abs(columns["level"][silent].mean() + 8) < 0.5
        assert abs(columns["mel 1"][~silent].mean() + 1) < 0.5


def test_the_same_seed_learns_the_same() -> None:
    one, two = learned(steps=5), learned(steps=5)
    text = "four two"
    np.testing.assert_array_equal(one.frames(text, "ann"), two.frames(text, "ann"))
