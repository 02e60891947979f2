"""--tag: a name is enough, whatever condition has it; and one line for every mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner, Result

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, MOOD, PLAIN, SPEAKER, small_spec
from wn_runtime.commands import conditions as named
from wn_runtime.commands.run import main
from wn_runtime.conditioning.spec import Condition
from wn_runtime.errors import WavestepError
from wn_runtime.output.encoders import pcm16

SOUND = Condition("sound", "tags", ("bells", "organ", "piano", "loud"))
SPEC = small_spec(conditions=(SPEAKER, MOOD, SOUND))


def test_a_tag_belongs_to_the_condition_that_has_it() -> None:
    tags = named.tagged(SPEC, ["piano", "calm", "bells"], {"speaker": "ann"})
    assert tags == {"sound": {"piano", "bells"}, "mood": {"calm"}}
    assert named.tagged(SPEC, [], {}) == {}


@pytest.mark.parametrize(
    ("tags", "conditions", "message"),
    [
        (["pino"], {}, r"tag 'pino' is unknown; this model has: calm, loud, bells, organ, piano, "
         r"loud \(did you mean 'piano'\?\)"),
        (["ann"], {}, "tag 'ann' is unknown; this model has: calm, loud, bells, .*"),
        (["0"], {}, "tag '0' is unknown; .*"),
        (["calm+loud"], {}, "tag 'calm.loud' is unknown; .*"),
        (["piano", "calm", "piano"], {}, "--tag piano is given twice; give each tag once"),
        (["loud"], {}, "tag 'loud' is in 2 conditions; say which: --set mood=loud and --set "
         "sound=loud"),
        (["calm"], {"mood": "loud"}, "mood is given by --set and by --tag calm; give it by one"),
    ],
)  # fmt: skip
def test_a_wrong_tag_is_named(tags: list[str], conditions: dict[str, Any], message: str) -> None:
    with pytest.raises(WavestepError) as caught:
        named.tagged(SPEC, tags, conditions)
    assert re.fullmatch(message, str(caught.value)), caught.value


@pytest.mark.parametrize(("spec", "has"), [(PLAIN, "none"), (CORNERS["one_condition"], "speaker")])
def test_a_model_without_tags_says_what_it_has(spec: Any, has: str) -> None:
    with pytest.raises(WavestepError) as caught:
        named.tagged(spec, ["calm"], {})
    assert str(caught.value) == (
        f"--tag calm: this model has no tags; its conditions, for --set, are: {has}"
    )


def run(folder: Path, *arguments: str) -> Result:
    how = ["--engine", "onnx", "--seconds", "0.1"]
    return CliRunner().invoke(main, [str(folder / "voice"), *how, *arguments])


def test_tags_are_heard_in_every_voice_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "voice", SPEC)
    tags = ["--tag", "organ", "--tag", "piano", "--tag", "calm"]
    done = run(tmp_path, "--batch", "2", "--speaker", "bob,eve", *tags, "-o", "a.wav")
    assert (done.exit_code, done.stderr) == (0, "")
    model = wn_runtime.open(tmp_path / "voice", "onnx", batch=2)
    stream = model.stream(speaker=["bob", "eve"], sound="piano+organ", mood="calm")
    expected = pcm16(stream.read(800))
    for voice in (0, 1):
        audio, _ = soundfile.read(f"a-{voice}.wav", dtype="int16")
        assert np.array_equal(audio, expected[:, voice])


def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "voice", SPEC)
    done = run(tmp_path, "--tag", "orgam", "-o", "a.wav")
    assert (done.exit_code, done.stdout) == (2, "")
    assert re.fullmatch(r"error: tag 'orgam' is unknown; .*'organ'\?\)\n", done.stderr)
    assert not (tmp_path / "a.wav").exists()
