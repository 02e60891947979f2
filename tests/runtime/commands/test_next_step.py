"""What to do next is a line to copy into a shell."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.runtime.conditioning.local import EVERY
from tests.specs import PLAIN, small_spec
from wn_runtime.commands import next_step


def test_a_line_comes_back_from_a_shell_as_it_was() -> None:
    assert next_step.line("wn-run", Path("digits")) == "next     wn-run digits"
    words = ["wn-export", "my runs/it's; $(touch x)", "-o", "ä"]
    said = next_step.line(*words)
    assert shlex.split(said) == ["next", *words]


def test_a_model_that_takes_frames_cannot_be_run_without() -> None:
    framed = small_spec(conditioning=(EVERY[0],))
    assert next_step.to_run(Path("v"), PLAIN) == "next     wn-run v"
    assert next_step.to_run(Path("v"), framed) == "next     wn-run v --frames FILE.npy"
    assert next_step.to_run(Path("v"), PLAIN, "--engine", "onnx").endswith("v --engine onnx")


def test_it_needs_no_numpy() -> None:
    script = "import sys; sys.modules['numpy'] = None; import wn_runtime.commands.next_step"
    subprocess.run([sys.executable, "-c", script], check=True)
