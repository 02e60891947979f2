"""From labelled recordings to a voice that says what it is told: every command in turn."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import PLAIN
from tests.train.speech.labelled import write_spoken
from wn_export.commands import export as exporting
from wn_export.commands import inspecting
from wn_runtime.commands import run as running
from wn_runtime.errors import WavestepError
from wn_runtime.speech import linguistic
from wn_train import checkpoint
from wn_train.commands import features as extracting
from wn_train.commands import train as training
from wn_train.speech import voice

pytest.importorskip("pyworld", reason="pitch needs pyworld")

SETTINGS = """
name = "babble"
temperature = 0.5
[model]
cycle = 2
layers = 2
residual_channels = 4
skip_channels = 4
head_channels = 4
[model.frames]
hidden = 4
[speech]
gaps = true
steps = 3
channels = 8
layers = 1
width = 3
[data]
conditions = ["speaker"]
chunk_seconds = 0.01
[training]
batch_samples = 4000
validate_every = 1
sample_every = 0
"""


def features(data: Path, output: Path, *more: str) -> Result:
    given = ["--text", "text", "--labels", data / "labels", "--dictionary", data / "words.txt"]
    what = ["--mel", "4", "--level", "--pitch", "--normalise"]
    return CliRunner().invoke(
        extracting.main, [str(each) for each in (data, "-o", output, *given, *what, *more)]
    )


def train(data: Path, output: Path, settings: Path, *more: str) -> Result:
    return CliRunner().invoke(
        training.main,
        [str(data), "-o", str(output), "--config", str(settings), "--steps", "2", *more],
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, frames, a run and a model directory."""
    folder = tmp_path_factory.mktemp("voice")
    data = write_spoken(folder / "data")
    result = features(data, folder / "framed", "--join", "2", "--seed", "1")
    assert result.exit_code == 0, result.output
    (folder / "voice.toml").write_text(SETTINGS)
    result = train(folder / "framed", folder / "run", folder / "voice.toml")
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(exporting.main, [str(folder / "run"), "-o", str(folder / "babble")])
    assert result.exit_code in (0, 1), result.output  # so small a model may miss int8's tolerance
    if result.exit_code:
        (folder / "babble.failed").rename(folder / "babble")
    return folder


def test_joined_recordings_hold_every_word_once_with_silence_between(here: Path) -> None:
    with (here / "framed" / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [*rows[0]] == ["file", "split", "speaker", "frames"]
    assert [row["split"] for row in rows].count("valid") == 2
    described = json.loads((here / "framed" / "features.json").read_text())
    assert described["phones"] == ["sil", "AA", "T"]
    said = 0
    for row in rows:
        frames = np.load(here / "framed" / row["frames"])
        audio, rate = soundfile.read(here / "framed" / row["file"])
        assert len(frames) == -(-len(audio) // 80)
        assert rate == 8000
        assert np.abs(audio).max() <= 1
        phones, _ = linguistic.phones_in(frames[:, 7:], described["phones"])
        assert phones[0] == phones[-1] == "sil"
        words = " ".join(phones).split("sil")
        assert [w.strip() for w in words if w.strip()] in (
            [a, b] for a in ("T AA", "AA T") for b in ("T AA", "AA T")
        )
        said += len(words) - 2
    assert said == 8


def test_the_dictionary_has_what_the_corpus_says(here: Path) -> None:
    assert (here / "framed" / "dictionary.txt").read_text() == "ta T AA\nat AA T\n"


def test_recordings_come_to_one_level(here: Path, tmp_path: Path) -> None:
    assert features(here / "data", tmp_path / "single").exit_code == 0
    with (tmp_path / "single" / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    gains = [float(row["gain"]) for row in rows]
    assert len(set(gains)) > 4, "they are of different levels"
    assert gains == sorted(gains, reverse=True), "the n-th is louder than the one before"


def test_the_checkpoint_has_the_front_end_and_its_wavenet_heard_it(here: Path) -> None:
    made = checkpoint.load(here / "run" / "best.pt")
    assert made.speech is not None
    assert made.speech.spec.speakers == ("high", "low")
    assert checkpoint.load(here / "run" / "release.pt").speech is not None
    clip = made.clips[0]["frames"].numpy()
    front_end = voice.of(made.speech)
    who = made.clips[0]["conditions"]["speaker"]
    bands = front_end.spectrum(clip[:60, 7:], clip[:60, 4:7], who)
    # The last one sees a neighbour less.
    np.testing.assert_allclose(bands[:59], clip[:59, :4], rtol=1e-4, atol=1e-4)


def test_a_run_goes_on_with_the_front_end_that_it_has(here: Path, tmp_path: Path) -> None:
    settings = here / "voice.toml"
    first = train(here / "framed", tmp_path / "run", settings)
    assert first.exit_code == 0, first.output
    before = checkpoint.load(tmp_path / "run" / "last.pt").speech
    again = train(here / "framed", tmp_path / "run", settings, "--steps", "4", "--resume")
    assert again.exit_code == 0, again.output
    after = checkpoint.load(tmp_path / "run" / "last.pt").speech
    assert before is not None
    assert after is not None
    for name, weight in before.weights.items():
        np.testing.assert_array_equal(weight.numpy(), after.weights[name].numpy())


def test_the_model_directory_says_a_text(here: Path) -> None:
    result = CliRunner().invoke(
        running.main,
        [str(here / "babble"), "--text", "ta, at", "--speaker", "low", "-o", str(here / "a.wav")],
    )
    assert result.exit_code == 0, result.output
    audio, rate = soundfile.read(here / "a.wav", dtype="float32")
    with wn_runtime.open(here / "babble") as model:
        assert model.temperature == 0.5
        stream = model.say("ta, at", speaker="low")
        assert stream.available is not None
        expected = stream.read(stream.available)[:, 0]
        assert len(expected) == len(audio)
        np.testing.assert_allclose(audio, expected, atol=2 / 32768)
        assert rate == model.sample_rate


def test_inspect_says_what_it_can_say(here: Path) -> None:
    result = CliRunner().invoke(inspecting.main, [str(here / "babble")])
    assert "temperature 0.5, where none is given" in result.output
    assert "3 phones: sil AA T" in result.output
    assert "2 words: ta, at" in result.output


def test_voices_side_by_side_end_together(here: Path) -> None:
    with wn_runtime.open(here / "babble", batch=2) as model:
        stream = model.say("ta at", speaker=["low", "high"])
        assert stream.available is not None
        assert stream.read(stream.available).shape[1] == 2


def test_a_rebuilt_directory_still_speaks(here: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        exporting.main, [str(here / "babble"), "-o", str(tmp_path / "again")]
    )
    again = tmp_path / ("again" if result.exit_code == 0 else "again.failed")
    with wn_runtime.open(again) as model:
        assert model.front_end is not None
        assert model.front_end.dictionary.pronunciations.keys() == {"ta", "at"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "to ta tu", "--speaker", "low"], "2 words are not in the dictionary: 'to'"),
        (["--text", "ta"], "say who speaks: --speaker, one of high, low"),
        (["--text", "ta", "--speaker", "bob"], "speaker 'bob' is unknown"),
        (["--text", "ta", "--speaker", "low", "--frames", "a.npy"], "exclude one another"),
        (["--speaker", "low"], "this model speaks; give it something to say"),
        (["--speaker", "low", "--rate", "2"], "--rate and --dictionary are for --text"),
        (["--text", "…", "--speaker", "low"], "no word in it"),
        (["--text", "ta", "--speaker", "low", "--rate", "0"], "rate is 0.0; it must be"),
    ],
)
def test_a_mistake_is_one_line(here: Path, arguments: list[str], message: str) -> None:
    out = here / "mistake.wav"
    result = CliRunner().invoke(running.main, [str(here / "babble"), "-o", str(out), *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_text_comes_on_stdin_and_words_from_a_file(here: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("tat T AA T\n")
    result = CliRunner().invoke(
        running.main,
        [
            str(here / "babble"),
            "--text",
            "-",
            "--dictionary",
            str(tmp_path / "more.txt"),
            "--speaker",
            "high",
            "-o",
            str(tmp_path / "b.wav"),
        ],
        input="Tat!\n",
    )
    assert result.exit_code == 0, result.output


def test_a_model_that_does_not_speak_says_so(tmp_path: Path) -> None:
    model = wn_runtime.open(write_model(tmp_path / "mute", PLAIN))
    with model, pytest.raises(WavestepError, match="does not speak"):
        model.say("ta")


def test_a_voice_needs_phones_level_and_pitch(here: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        extracting.main, [str(here / "data"), "-o", str(tmp_path / "mel"), "--mel", "4"]
    )
    assert result.exit_code == 0, result.output
    result = train(tmp_path / "mel", tmp_path / "run", here / "voice.toml")
    assert result.exit_code == 2
    assert "[speech] takes frames with phones, level and pitch" in result.stderr


def test_a_speaker_that_is_no_condition_is_one_line(here: Path, tmp_path: Path) -> None:
    settings = tmp_path / "typo.toml"
    settings.write_text(SETTINGS.replace("[speech]", '[speech]\nspeaker = "speakr"'))
    result = train(here / "framed", tmp_path / "run", settings)
    assert result.exit_code == 2
    assert (
        "[speech] speaker: condition 'speakr' is unknown; the model has: speaker" in result.stderr
    )
    assert result.stderr.rstrip().endswith("leave speaker out")


@pytest.mark.parametrize(
    ("metadata", "arguments", "message"),
    [
        (None, ["--text", "words"], "column 'words' is unknown; it has: file, speaker, text"),
        ("file,text\n0.wav,ta tu\n1.wav,at\n", [], "'tu'"),
        ("file,text\n0.wav,ta\n1.wav,…\n", [], "1.wav: column text: the text '…' has no word"),
        ("file,text\n0.wav,ta\n1.wav,ta #\n", [], "1.wav: column text: .*cannot be read: '#'"),
        (None, ["--labels", "nowhere"], "nowhere/0.lab does not exist; give a label file"),
        (None, ["--dictionary", "none.txt"], "none.txt does not exist"),
    ],
)
def test_what_cannot_be_aligned_is_one_line(
    tmp_path: Path, metadata: str | None, arguments: list[str], message: str
) -> None:
    data = write_spoken(tmp_path / "data")
    if metadata is not None:
        (data / "metadata.csv").write_text(metadata)
    result = features(data, tmp_path / "framed", *arguments)
    assert result.exit_code == 2
    assert re.search(message, result.stderr), result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "framed").exists()


def test_labels_that_end_early_are_told(tmp_path: Path) -> None:
    data = write_spoken(tmp_path / "data")
    (data / "labels" / "3.lab").write_text("0 500000 sil\n500000 1000000 T\n")
    result = features(data, tmp_path / "framed")
    assert result.exit_code == 2
    assert "3.lab ends at 0.1 s, its recording at 0.26 s; label all of it" in result.stderr


def test_sentences_are_no_condition_however_long(tmp_path: Path) -> None:
    data = write_spoken(tmp_path / "data")
    text = (data / "metadata.csv").read_text().replace(",ta,", f",{'ta ' * 200},")
    (data / "metadata.csv").write_text(text)
    assert features(data, tmp_path / "framed").exit_code == 0
    header = (tmp_path / "framed" / "metadata.csv").read_text().splitlines()[0]
    assert header == "file,split,speaker,frames,gain"
