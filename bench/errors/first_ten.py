"""The first ten errors of a new user, and what each advises on a PC, a Jetson and a Raspberry Pi.

    python -m bench.errors.first_ten digits/ > bench/results/first_errors.txt

digits/ is `wn-export examples/digits.pt -o digits`. Every command is run, in a process for which
machines.py has put another machine under it. Exit code 1 where an answer is not one line, or
the exit code not 2.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import click
import numpy as np
import soundfile

from bench.errors.machines import MACHINES, SITE, Machine, lay_out
from bench.repository import ROOT
from wn_runtime.engines import trust
from wn_runtime.engines.tensorrt.plan_record import PlanRecord
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict

EXTRAS = frozenset(
    [
        *("onnxruntime", "onnx", "torch", "sounddevice", "cuda", "polygraphy", "matplotlib"),
        *("tensorrt", "tensorrt_rtx", "tensorrt_rtx_bindings", "pyworld", "pocketsphinx"),
    ]
)
"""Modules of what is no part of a plain installation."""
PLAN = "engine.plan"
SPEAK = "--text seven --speaker jackson"


@dataclass(frozen=True)
class Case:
    """An error, and what brings it about."""

    title: str
    command: str
    module: str
    """Of the command."""
    here: frozenset[str] = frozenset()
    """Extras' modules that are installed; the others are not."""
    stand_in: tuple[str, str] = ("", "")
    """A module that takes the place of another: its name and text."""
    without: tuple[str, ...] = ()
    """Files of the machine that are not there."""


RUN, TRAIN = "wn_runtime.commands.run", "wn_train.commands.train"
EXPORT, FEATURES = "wn_export.commands.export", "wn_train.commands.features"
DRIVER = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvmap")
ONNX = frozenset(("onnxruntime",))
CASES = (
    Case("no C compiler, and no other engine", f"wn-run digits/ {SPEAK}", RUN),
    Case("no ONNX Runtime", f"wn-run digits/ {SPEAK} --engine onnx", RUN),
    Case("no PyTorch", "wn-train data/ -o run", TRAIN),
    Case("no onnx", "wn-export digits.pt", EXPORT, frozenset(("torch",))),
    Case("no pyworld", "wn-features data/ -o framed --pitch", FEATURES),
    Case("no sounddevice", f"wn-run digits/ {SPEAK} --engine onnx --play", RUN, ONNX),
    Case(
        "no PortAudio",
        f"wn-run digits/ {SPEAK} --engine onnx --play",
        RUN,
        ONNX | {"sounddevice"},
        ("sounddevice", "raise OSError('PortAudio library not found')\n"),
    ),
    Case("no cuda-core", f"wn-run digits/ {SPEAK} --engine cuda", RUN),
    Case(
        "no NVIDIA driver",
        f"wn-run digits/ {SPEAK} --engine cuda",
        RUN,
        frozenset(("cuda",)),
        without=DRIVER,
    ),
    Case("no TensorRT", f"wn-run digits/ {SPEAK} --engine tensorrt", RUN),
)


def add_plan(directory: Path, machine: Machine) -> None:
    """A plan as TensorRT would have built it there, which is trusted, and which nobody can load."""
    manifest = manifests.read(directory)
    graph = next(each for each in manifest.artifacts if each.file.endswith(".onnx"))
    record = PlanRecord(
        flavour="tensorrt",
        version="10.3.0",
        platform=machine.processor,
        gpu="another",
        compute_capability="8.7",
        version_compatible=False,
        onnx=graph.file,
        onnx_sha256=manifest.files[graph.file].sha256,
        seconds=1.0,
        working_bytes=1000,
    )
    (directory / PLAN).write_bytes(b"a plan")
    plan = manifests.record(directory / PLAN)
    trust.add({plan.sha256: "the plan of a measurement"})
    artifact = manifests.Artifact(PLAN, "tensorrt", "fp16", 1, strict.plain(record))
    manifests.write(directory, manifests.with_artifact(manifest, artifact, plan))


def answer(case: Case, machine: str, model: Path) -> tuple[str, bool]:
    """What is said there, and whether it is one line with the exit code of an error."""
    with tempfile.TemporaryDirectory() as folder:
        root, work = Path(folder, "root"), Path(folder, "work")
        work.mkdir()
        shutil.copytree(model, work / "digits")
        shutil.copy(ROOT / "examples/digits.pt", work)
        (work / "data").mkdir()
        for name in ("one", "two"):  # one of them is held back
            soundfile.write(work / f"data/{name}.wav", np.zeros(8000), 8000)
        with mock.patch.dict(os.environ, XDG_DATA_HOME=str(work / "home")):
            add_plan(work / "digits", MACHINES[machine])
        lay_out(MACHINES[machine], root)
        for path in case.without:
            (root / path.lstrip("/")).unlink(missing_ok=True)
        name, text = case.stand_in
        if name:
            (root / SITE.lstrip("/") / f"{name}.py").write_text(text)
        hidden = ",".join(sorted(EXTRAS - case.here))
        asked = ["-m", "bench.errors.machines", str(root), machine, hidden, case.module]
        done = subprocess.run(
            [sys.executable, *asked, *case.command.split()[1:]],
            cwd=work,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]]),
                "XDG_DATA_HOME": str(work / "home"),
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        said = (done.stdout + done.stderr).replace(str(root), "").strip().splitlines()
    right = done.returncode == 2 and len(said) == 1 and said[0].startswith("error: ")
    return "\n".join(said).removeprefix("error: "), right


@click.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(model: Path) -> None:
    """See the module."""
    wrong = 0
    for name, machine in MACHINES.items():
        click.echo(f"{name:8}{machine.title}")
    for case in CASES:
        click.echo(f"\n{case.title}: {case.command}")
        for name in MACHINES:
            said, right = answer(case, name, model)
            wrong += not right
            click.echo(f"  {name:8}{said}{'' if right else '   WRONG'}")
    click.echo(f"\n{len(CASES)} errors on {len(MACHINES)} machines, {wrong} of them wrong")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
