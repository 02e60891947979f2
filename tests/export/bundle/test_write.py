"""What is in a bundle: the model with the code for its device, wheels, steps that can be typed."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import click
import numpy as np
import pytest

from tests.export.bundle.exported import bundle_for, with_code, write_exported
from tests.models.speaking import write_voice
from tests.models.specs import CORNERS, PLAIN
from wn_export.bundle import wheels
from wn_export.bundle.bundle import Bundle
from wn_export.bundle.example import FRAMES, example
from wn_export.bundle.write import write
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.errors import WavestepError
from wn_runtime.model.package import ModelPackage

SAID: list[str] = []
FETCHED = "numpy-1-py3-none-any.whl"


@pytest.fixture(autouse=True)
def fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an index: one wheel stands for all."""

    def fetch(wanted: Mapping[str, Sequence[str]], machine: str, folder: Path) -> list[Path]:
        (folder / FETCHED).write_text(f"{machine} {sorted(wanted)}")
        return [folder / FETCHED]

    monkeypatch.setattr(wheels, "fetch", fetch)
    SAID.clear()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = write_exported(tmp_path / "voice", PLAIN)
    with_code(directory, "native.fp32.so", "native", machine="aarch64")
    return directory


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def made(bundle: Bundle, model: Path) -> Path:
    write(bundle, model, SAID.append)
    return bundle.path


def test_every_file_is_in_its_sums_and_those_in_the_installer(tmp_path: Path, model: Path) -> None:
    out = made(bundle_for(tmp_path / "out"), model)
    sums = {line.split("  ")[1]: line.split("  ")[0] for line in lines_of(out / "SHA256SUMS")}
    files = {each.relative_to(out).as_posix() for each in out.rglob("*") if each.is_file()}
    assert files == {*sums, "SHA256SUMS", "install.sh"}
    for name, digest in sums.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    script = (out / "install.sh").read_text("utf-8")
    assert hashlib.sha256((out / "SHA256SUMS").read_bytes()).hexdigest() in script
    assert "pythons='3.10 3.12'" in script
    assert not re.search(r"@[A-Z]+@", script), "a place that nothing was put in"
    ModelPackage(out / "model").verify()


def test_each_python_is_told_what_to_install(tmp_path: Path, model: Path) -> None:
    out = made(bundle_for(tmp_path / "out"), model)
    (own,) = (out / "wheels").glob("wavestep-*.whl")
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    for python in ("3.10", "3.12"):
        first, *rest = lines_of(out / "requirements" / f"{python}.txt")
        assert first == f"wavestep=={metadata.version('wavestep')} --hash=sha256:{digest}"
        assert any(line.startswith("numpy==") for line in rest)
    assert (out / "wheels" / FETCHED).read_text() == "aarch64 ['3.10', '3.12']"
    assert SAID[-1] == f"next     scp -r {out} USER@DEVICE:, then as README.txt in it says"


def test_no_code_travels_but_that_of_the_device(tmp_path: Path, model: Path) -> None:
    with_code(model, "native.int8.so", "native", machine="x86_64")
    with_code(model, "engine.plan", "tensorrt")
    for sm in ("8.7", "9.0"):
        name = f"cuda.sm_{sm.replace('.', '')}.int8.ring-1.cubin"
        with_code(model, name, "cuda", compute_capability=sm, nvrtc="13.0")
    (model / "mine.wav").write_text("of the user")
    out = made(bundle_for(tmp_path / "out"), model)
    names = {each.name for each in (out / "model").iterdir()}
    kept = {"native.fp32.so", "cuda.sm_87.int8.ring-1.cubin", "step.onnx", "weights.safetensors"}
    assert kept <= names
    assert not names & {"native.int8.so", "engine.plan", "cuda.sm_90.int8.ring-1.cubin", "mine.wav"}
    page = (out / "README.txt").read_text("utf-8")
    assert "model/cuda.sm_87.int8.ring-1.cubin" in page
    assert "engine.plan" not in page


@pytest.mark.parametrize(
    ("nvrtc", "with_cuda", "words"),
    [
        ("12.6", ["3.10", "3.12"], "compiled ahead, on JetPack 6 and JetPack 7:"),
        ("13.0", ["3.12"], "   Not on JetPack 6: its CUDA is older"),
        (None, [], "its kernels are not in this bundle"),
    ],
)
def test_a_jetpack_that_runs_the_kernels_gets_what_they_need(
    tmp_path: Path, model: Path, nvrtc: str | None, with_cuda: list[str], words: str
) -> None:
    if nvrtc is not None:
        name = "cuda.sm_87.int8.ring-1.cubin"
        with_code(model, name, "cuda", compute_capability="8.7", nvrtc=nvrtc)
    out = made(bundle_for(tmp_path / "out"), model)
    texts = {each.stem: each.read_text() for each in (out / "requirements").iterdir()}
    assert [name for name in sorted(texts) if "cuda-core==" in texts[name]] == with_cuda
    assert words in (out / "README.txt").read_text("utf-8")


def test_without_an_index_it_is_made_and_says_what_is_missing(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> list[Path]:
        raise wheels.NoWheels("no route to host")

    monkeypatch.setattr(wheels, "fetch", none)
    out = made(bundle_for(tmp_path / "out"), model)
    assert [each.name.split("-")[0] for each in (out / "wheels").iterdir()] == ["wavestep"]
    assert "(no route to host); the device needs a network, and sh install.sh --online" in SAID[-2]
    page = (out / "README.txt").read_text("utf-8")
    assert "       sh install.sh --online\n" in page
    assert "It needs a network" in page


def test_what_was_not_compiled_makes_no_bundle(tmp_path: Path, model: Path) -> None:
    with pytest.raises(WavestepError, match=r"nothing was compiled for x86_64.*voice is complete"):
        made(bundle_for(tmp_path / "out", "x86_64"), model)
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_whole_makes_no_bundle(tmp_path: Path, model: Path) -> None:
    (model / "step.onnx").write_bytes(b"")
    with pytest.raises(WavestepError, match=r"step\.onnx has 0 bytes"):
        made(bundle_for(tmp_path / "out"), model)


def test_a_place_that_cannot_be_written_is_told_in_a_line(tmp_path: Path, model: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WavestepError, match=r"cannot be written.*voice is complete"):
        made(bundle_for(tmp_path / "file" / "out"), model)


@pytest.mark.parametrize(
    ("spec", "conditions", "arguments"),
    [
        (PLAIN, {}, []),
        (CORNERS["two_conditions"], None, ["--set", "--speaker"]),
        (
            dataclasses.replace(
                PLAIN, conditioning=(LocalFrames(3, 4, hidden=4, kernels=(3,), hold=4),)
            ),
            {},
            ["--frames"],
        ),
    ],
)
def test_what_wn_run_is_given_can_be_typed(
    tmp_path: Path, spec: object, conditions: dict[str, str] | None, arguments: list[str]
) -> None:
    from wn_runtime.commands.run import main

    if conditions is None:
        conditions = {each.name: each.values[0] for each in spec.conditions}  # type: ignore[attr-defined]
    directory = write_exported(tmp_path / "voice", spec, conditions)  # type: ignore[arg-type]
    found = example(ModelPackage(directory))
    options = [word for word in shlex.split(found.words) if word.startswith("--")]
    assert sorted(options) == arguments
    main.make_context("wn-run", ["model", *shlex.split(found.words)])
    if FRAMES in found.files:
        (tmp_path / FRAMES).write_bytes(found.files[FRAMES])
        assert np.load(tmp_path / FRAMES).shape[1] == 3


def test_a_voice_says_words_that_it_knows(tmp_path: Path) -> None:
    directory = write_voice(tmp_path / "voice", "seven S EH V AH N\nfour F AO R\n")
    found = example(ModelPackage(directory))
    assert found.arguments[0] == "--text"
    assert set(found.arguments[1].split()) == {"seven", "four"}
    assert found.arguments[2:] == ("--speaker", "ann")


def test_its_steps_name_commands_that_are_there(tmp_path: Path, model: Path) -> None:
    out = made(bundle_for(tmp_path / "out"), model)
    text = (out / "README.txt").read_text("utf-8")
    commands = {e.name: e for e in metadata.entry_points(group="console_scripts")}
    typed = re.findall(r"^       env/bin/(wn-\S+) (.*)$", text, re.MULTILINE)
    assert {"wn-run", "wn-parity", "wn-bench"} <= {name for name, _ in typed}
    for name, arguments in typed:
        command = commands[name].load()
        assert isinstance(command, click.Command)
        command.make_context(name, shlex.split(arguments))
    assert "sudo nvpmodel" in text
    assert max(len(line) for line in text.splitlines() if str(tmp_path) not in line) <= 100
