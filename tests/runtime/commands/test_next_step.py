"""What to do next is a line to copy into a shell."""

from __future__ import annotations

import dataclasses
import shlex
import subprocess
import sys
from pathlib import Path

from tests.models.specs import PLAIN, small_spec
from tests.runtime.conditioning.local import EVERY
from tests.runtime.speech import voices
from wn_runtime.commands import next_step
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import Condition
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
    alone = dataclasses.replace(voices.spec(), speaker="", speakers=())
    local = LocalFrames(len(alone.features.names), alone.features.hop, 4, (3,), False, "repeat", 80)
    several = GlobalConditions((Condition("speaker", "categorical", voices.SPEAKERS),))
    voice = manifest(small_spec(conditioning=(local,)), alone)
    assert next_step.to_run(Path("v"), voice) == 'next     wn-run v --text "…"'
    voice = manifest(small_spec(conditioning=(several, local)), voices.spec())
    assert next_step.to_run(Path("v"), voice) == 'next     wn-run v --text "…" --speaker ann'


def test_it_needs_no_numpy() -> None:
    script = "import sys; sys.modules['numpy'] = None; import wn_runtime.commands.next_step"
    subprocess.run([sys.executable, "-c", script], check=True)
