"""The synthetic music: its tags say what is in it, and wn-train takes it as it is."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from numpy.typing import NDArray

from examples.music import make
from wn_train import config
from wn_train.data import corpus

COMBINATIONS = list(itertools.product(*make.GROUPS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music") / "set"
    done = CliRunner().invoke(make.main, [str(folder), "--clips", "16"])
    assert done.exit_code == 0, done.output
    return folder


def test_training_takes_its_tags(folder: Path) -> None:
    found = corpus.read(folder, ["tags"])
    (tags,) = found.conditions
    assert (tags.kind, set(tags.values)) == ("tags", set(itertools.chain(*make.GROUPS)))
    assert len([r for r in found.recordings if r.split == "train"]) == 16
    said = [r.values["tags"] for r in found.recordings if r.split == "valid"]
    assert {tuple(each.split("+")) for each in said} == set(COMBINATIONS)
    assert config.load("small", Path(make.__file__).parent / "music.toml", {}).data.conditions == (
        "tags",
    )


def test_no_clip_is_loud_or_is_in_both_sets(folder: Path) -> None:
    clips = {}
    for path in folder.rglob("*.wav"):
        audio, rate = soundfile.read(path)
        assert (rate, len(audio)) == (make.RATE, make.RATE * make.SECONDS)
        assert 0.4 < np.abs(audio).max() < 0.75
        clips[audio.tobytes()] = path
    assert len(clips) == 16 + 16 + 8 + 4


def test_the_seed_makes_the_clip() -> None:
    one, same, other = (
        make.clip(COMBINATIONS[5], np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def magnitude(wave: NDArray[np.float32], hertz: float) -> float:
    """Of one frequency in a wave."""
    turns = np.exp(-2j * np.pi * hertz * np.arange(len(wave)) / make.RATE)
    return float(np.abs((wave * np.hanning(len(wave))) @ turns))


@pytest.mark.parametrize("name", make.INSTRUMENTS)
def test_the_mode_is_the_chords_third(name: str) -> None:
    for key in make.KEYS:
        root = make.LOWEST * 2 ** (key / 12)
        for mode, third in (("major", 4), ("minor", 3)):
            seed = next(s for s in itertools.count() if _key(s) == key)
            wave = make.clip((name, "slow", mode), np.random.default_rng(seed))
            first = wave[: int(0.38 * make.RATE)]
            there, absent = (magnitude(first, root * 2 ** (n / 12)) for n in (third, 7 - third))
            assert there > 2 * absent


def _key(seed: int) -> int:
    """The key that a clip of this seed is in: what is drawn after its tempo."""
    rng = np.random.default_rng(seed)
    rng.uniform()
    return int(rng.choice(make.KEYS))


BEATS = {"slow": (0.39, 0.45), "fast": (0.155, 0.185)}
"""Seconds between two beats; none of one is a multiple of one of the other."""


@pytest.mark.parametrize("tempo", make.BEATS)
@pytest.mark.parametrize("name", ["bells", "organ", "piano"])
def test_the_tempo_is_the_time_between_beats(name: str, tempo: str) -> None:
    """Where the level rises it rises again a beat later."""
    for seed in range(4):
        wave = make.clip((name, tempo, "major"), np.random.default_rng(seed))
        level = np.log((wave**2).reshape(-1, 40).mean(axis=1) + 1e-5)  # every 5 ms
        rise = np.maximum(0, np.diff(level, n=1))
        again = np.correlate(rise - rise.mean(), rise - rise.mean(), "full")[len(rise) - 1 :]
        lags = np.arange(len(again)) * 0.005
        strength = {
            t: again[(lags >= low) & (lags <= high)].max() for t, (low, high) in BEATS.items()
        }
        assert max(strength, key=lambda t: float(strength[t])) == tempo
