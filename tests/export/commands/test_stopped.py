"""A signal in the middle of the work: one word, its exit code, and nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.export.references import reference_of
from tests.models import model_dir
from tests.models.specs import PLAIN
from wn_export.parity import reference
from wn_runtime import isolated
from wn_runtime.model import manifest as manifests

SLOWLY = """
import signal, sys, time
from pathlib import Path
ready = Path(sys.argv.pop(1))
def slow(*given, **more):
    ready.touch()
    time.sleep(1000)
import importlib
path, *rest = {place!r}.rsplit(".", {depth})
owner = importlib.import_module(path)
for name in rest[:-1]:
    owner = getattr(owner, name)
setattr(owner, rest[-1], slow)
from wn_export.commands.{command} import main
main()
"""
OLD = '{"passed": true, "reference": {}, "engines": []}'
"""A report of wn-parity's, which another may replace."""
ENDS = [
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "terminated"),
    (signal.SIGHUP, 129, "hung up"),
]
ONE_END = [ENDS[0], *(pytest.param(*end, marks=pytest.mark.slow) for end in ENDS[1:])]
"""All commands are stopped by the same code."""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = model_dir.write_model(tmp_path_factory.mktemp("made") / "voice", PLAIN)
    path = directory / manifests.REFERENCE
    reference.save(path, reference_of(PLAIN))
    manifests.write(directory, manifests.with_file(manifests.read(directory), path))
    return directory


@pytest.fixture
def voice(made_once: Path, tmp_path: Path) -> Path:
    copy: Path = shutil.copytree(made_once, tmp_path / "work" / "voice")
    return copy


def stopped(voice: Path, place: str, number: int, command: str, *arguments: object) -> list[str]:
    """Exit code and stderr of a command that gets a signal where it is held up."""
    depth = 2 if place.endswith("prove.prove") else 1
    code = SLOWLY.format(place=place, depth=depth, command=command)
    ready = voice.parent.parent / "ready"
    process = subprocess.Popen(
        isolated.python(code, str(ready), *map(str, arguments)),
        cwd=voice.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(voice.parent.parent / "cache")},
    )
    with process:
        end = time.monotonic() + 120
        while not ready.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate()
    return [str(process.returncode), said]


@pytest.mark.parametrize(("number", "code", "word"), ENDS)
@pytest.mark.parametrize(
    "place", ["wn_export.package.export.keep_libraries", "wn_export.package.export.prove.prove"]
)
def test_an_export(voice: Path, place: str, number: int, code: int, word: str) -> None:
    before = model_dir.records(voice)
    found = stopped(voice, place, number, "export", voice)
    assert found == [str(code), f"{word}\n"]
    assert model_dir.records(voice) == before
    assert [path.name for path in voice.parent.iterdir()] == ["voice"]


@pytest.mark.parametrize(("number", "code", "word"), ONE_END)
def test_a_parity_run(voice: Path, number: int, code: int, word: str) -> None:
    before = model_dir.records(voice)
    (voice.parent / "x.json").write_text(OLD)
    arguments = (voice, "--json", voice.parent / "x.json")
    found = stopped(voice, "wn_export.parity.prove.compare", number, "parity", *arguments)
    assert found == [str(code), f"{word}\n"]
    assert model_dir.records(voice) == before
    assert sorted(path.name for path in voice.parent.iterdir()) == ["voice", "x.json"]
    assert (voice.parent / "x.json").read_text() == OLD


@pytest.mark.parametrize(("number", "code", "word"), ONE_END)
def test_a_bench(voice: Path, number: int, code: int, word: str) -> None:
    arguments = (voice, "--json", "x.json", "--plot", "x.png")
    found = stopped(voice, "wn_export.bench.run.measure", number, "bench", *arguments)
    assert found == [str(code), f"{word}\n"]
    assert [path.name for path in voice.parent.iterdir()] == ["voice"]
