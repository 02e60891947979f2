"""What to do next is a line to copy into a shell."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.runtime.conditioning.local import EVERY
from tests.specs import PLAIN, small_spec
from wn_runtime.commands import next_step
from wn_runtime.features.features import Features
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import FORMAT, Manifest
from wn_runtime.model.spec import ModelSpec
from wn_runtime.speech.spec import SpeechSpec


def test_a_line_comes_back_from_a_shell_as_it_was() -> None:
    assert next_step.line("wn-run", Path("digits")) == "next     wn-run digits"
    words = ["wn-export", "my runs/it's; $(touch x)", "-o", "ä"]
    said = next_step.line(*words)
    assert shlex.split(said) == ["next", *words]


def manifest(spec: ModelSpec, speech: SpeechSpec | None = None) -> Manifest:
    return Manifest(FORMAT, "v", spec, {}, state=layout(spec), speech=speech)


def test_what_a_model_cannot_be_run_without_is_in_the_line() -> None:
    framed = small_spec(conditioning=(EVERY[0],))
    plain = manifest(PLAIN)
    assert next_step.to_run(Path("v"), plain) == "next     wn-run v"
    assert next_step.to_run(Path("v"), plain, "--engine", "x") == "next     wn-run v --engine x"
    assert next_step.to_run(Path("v"), manifest(framed)) == "next     wn-run v --frames FILE.npy"
    features = Features(8000, 80, 320, level=True, pitch=True, phones=("sil", "AA"))
    for speakers, words in ((("ann", "bob"), ' --text "…" --speaker ann'), ((), ' --text "…"')):
        speech = SpeechSpec(features, "speaker" if speakers else "", speakers)
        said = next_step.to_run(Path("v"), manifest(framed, speech))
        assert said == f"next     wn-run v{words}"


def test_it_needs_no_numpy() -> None:
    script = "import sys; sys.modules['numpy'] = None; import wn_runtime.commands.next_step"
    subprocess.run([sys.executable, "-c", script], check=True)
