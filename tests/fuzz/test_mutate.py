"""Every edit does its work on a good file: one that did nothing would try nothing."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import tree
from tests.fuzz.case import Case, Edit, Stop
from tests.fuzz.commands import here
from tests.fuzz.hostile import JSON
from tests.fuzz.mutate import frames, npz, place, raw, structure, tensors, words
from tests.fuzz.world import World

RAW: dict[str, dict[str, Any]] = {
    "flip": {"at": 0.5, "mask": 1},
    "poke": {"offset": 3, "value": "ffff"},
    "truncate": {"at": 0.5},
    "zero": {"at": 0.3, "length": 30},
    "insert": {"at": 0.5, "value": "00"},
    "double": {"at": 0.5, "length": 4},
    "splice": {"at": 0.3, "source": 0.8, "length": 16},
    "write": {"text": "\udcff"},
}


@pytest.fixture
def voice(world: World, tmp_path: Path) -> Path:
    world.copy("voice", tmp_path)
    return tmp_path / "voice"


@pytest.mark.parametrize("name", RAW)
def test_bytes(voice: Path, name: str) -> None:
    before = tree.look(voice)
    getattr(raw, name)(voice / "step.onnx", **RAW[name])
    assert list(tree.changes(before, tree.look(voice))) == ["step.onnx"]


def test_every_function_on_bytes_is_tried() -> None:
    public = {name for name, value in vars(raw).items() if callable(value) and name[0].islower()}
    assert public - {"Path"} == set(RAW)


@pytest.mark.parametrize(
    "name", ["missing", "empty", "fifo", "unix_socket", "outside", "folder", "unreadable"]
)
def test_places(voice: Path, name: str) -> None:
    path = voice / "step.onnx"
    before = path.stat()
    getattr(place, name)(path)
    if path.is_symlink() or path.exists():
        now = path.lstat()
        assert (now.st_mode, now.st_size) != (before.st_mode, before.st_size)


@pytest.mark.parametrize("how", ["put", "add", "drop", "rename", "repeat"])
def test_structure(voice: Path, how: str) -> None:
    path = voice / "manifest.json"
    before = path.read_text("utf-8")
    values = {"pointer": ["spec"] if how == "add" else ["name"], "value": "@deep list", "key": "x"}
    needed = {"put": "value", "add": "value key", "drop": "", "rename": "key", "repeat": "value"}
    given = {name: values[name] for name in ["pointer", *needed[how].split()]}
    getattr(structure, how)(path, **given)
    after = path.read_text("utf-8")
    assert after != before
    assert (JSON["deep list"] in after) == ("value" in given)


@pytest.mark.parametrize("change", npz.CHANGES)
def test_arrays(voice: Path, change: str) -> None:
    path = voice / "reference.npz"
    before = path.read_bytes()
    changed = []
    for name in ("words", "lengths", "params"):  # of text, integers, floats
        path.write_bytes(before)
        npz.array(path, name, change)
        changed.append(path.read_bytes() != before)
    assert any(changed)


@pytest.mark.parametrize("change", npz.CHANGES)
def test_frames(world: World, tmp_path: Path, change: str) -> None:
    world.copy("frames.npy", tmp_path)
    path = tmp_path / "frames.npy"
    before = path.read_bytes()
    frames.array(path, change)
    assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("at", "how", "whats"),
    [
        ("words.txt", "dictionary", words.DICTIONARIES),
        ("spoken/labels/0.lab", "labels", words.LABELS),
        ("spoken/metadata.csv", "cell", words.TEXTS),
    ],
)
def test_words(world: World, tmp_path: Path, at: str, how: str, whats: dict[str, Any]) -> None:
    before = (world.root / at).read_bytes()
    changed = {}
    for what in whats:
        (tmp_path / "x").write_bytes(before)
        getattr(words, how)(tmp_path / "x", what)
        changed[what] = (tmp_path / "x").read_bytes()
    assert before not in changed.values()
    assert len(set(changed.values())) == len(whats)


def test_tensors(voice: Path) -> None:
    path = voice / "weights.safetensors"
    before = tensors.names(path)
    tensors.drop(path, before[0])
    tensors.rename(path, before[1], "x")
    tensors.fill(path, before[2], float("nan"))
    tensors.header(path, before[3], "shape", "[-1]")
    assert set(tensors.names(path)) == {"x", *before[2:]}


@pytest.mark.skipif(not here("onnx"), reason="needs onnx")
def test_graphs(voice: Path) -> None:
    graph = importlib.import_module("tests.fuzz.mutate.graph")
    good = {name: (voice / name).read_bytes() for name in ("step.onnx", "conditioner.onnx")}
    for what in graph.CHANGES:
        for name, content in good.items():
            (voice / name).write_bytes(content)
            graph.change(voice / name, what)
            assert (voice / name).read_bytes() != content, what


@pytest.mark.skipif(not here("torch"), reason="needs torch")
def test_checkpoints(world: World, tmp_path: Path) -> None:
    checkpoint = importlib.import_module("tests.fuzz.mutate.checkpoint")
    path = tmp_path / "voice.pt"
    for how in checkpoint.ARCHIVES:
        if how != "bomb":  # seconds, and tried at length
            world.copy("voice.pt", tmp_path)
            checkpoint.archive(path, how)
    for value in checkpoint.VALUES:
        world.copy("voice.pt", tmp_path)
        checkpoint.put(path, ["clips", 0, "samples"], value)
        assert path.read_bytes() != (world.root / "voice.pt").read_bytes()


def test_a_case_comes_back_from_its_json() -> None:
    edit = Edit("raw.flip", "voice/\udcff", {"at": 0.25, "mask": 3})
    case = Case(
        "x",
        "wn-run",
        ("\udc80", "²"),
        ("voice",),
        (edit,),
        {"HOME": None},
        {"stdin": "full"},
        {"RLIMIT_FSIZE": 3},
        Stop("SIGINT", 0.5),
        fresh=True,
    )
    assert Case.from_json(case.to_json()) == case
    assert case.digest == Case.from_json(case.to_json()).digest


def test_a_document_has_many_places() -> None:
    assert len(structure.pointers({"a": [1, {"b": 2}], "c": {}})) == 6
