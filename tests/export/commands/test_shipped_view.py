"""wn-inspect of what a model is shipped as: what it is, what it holds, what is broken."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.export.commands.invoke import error_of, run
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_export.bundle import place
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.model_file import Named, packed_model
from wn_export.commands.inspecting import main
from wn_export.package.site import INDEX, MADE_BY
from wn_runtime.engines.native.pack import Tiles
from wn_runtime.model.package import ModelPackage

SPEC = CORNERS["two_conditions"]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "voice", SPEC)


def packed(model: Path) -> bytes:
    shapes = HostShapes(SPEC, "bf16", ModelPackage(model).weights)
    return packed_model(shapes, Named("voice", 0.9), Tiles(16, 4))


def c_api(model: Path) -> Path:
    folder = model.parent / "out"
    folder.mkdir()
    (folder / "wavestep.h").write_text("/* */")
    (folder / "libwavestep.so").write_bytes(b"\x7fELF")
    (folder / "voice.bf16.wn").write_bytes(packed(model))
    return folder


def packed_file(model: Path) -> Path:
    return c_api(model) / "voice.bf16.wn"


def site(model: Path) -> Path:
    folder = model.parent / "site"
    (folder / INDEX).parent.mkdir(parents=True)
    data = gzip.compress(packed(model))
    (folder / "model/model.wn").write_bytes(data)
    record = {"name": "model.wn", "bytes": len(data)}
    (folder / INDEX).write_text(json.dumps({"made_by": MADE_BY, "files": {"model": record}}))
    return folder


def bundle(model: Path, name: str = "out") -> Path:
    rest: dict[str, bytes | Path] = {f"model/{each.name}": each for each in model.iterdir()}
    sums = "".join(f"{place.digest(what)}  {each}\n" for each, what in rest.items())
    place.put(
        model.parent / name, {place.SUMS: sums.encode(), place.INSTALL: b"#!/bin/sh\n", **rest}
    )
    return model.parent / name


def tar(model: Path) -> Path:
    return bundle(model, "out.tar")


MADE = [
    (c_api, "C API folder", "voice.bf16.wn"),
    (packed_file, "packed model", "voice.bf16.wn"),
    (site, "site, for browsers", "model/model.wn"),
    (bundle, "bundle", "model/weights.safetensors"),
    (tar, "bundle, in a .tar", "model/weights.safetensors"),
]
every = pytest.mark.parametrize(("make", "what", "file"), MADE)


@every
def test_it_is_named_with_its_model_and_files(
    make: Callable[[Path], Path], what: str, file: str, model: Path
) -> None:
    path = make(model)
    result = run(main, path)
    assert result.exit_code == 0, result.output
    assert f"{what}" in result.stdout.splitlines()[0]
    for words in ("voice", "8000 Hz", "ann, bob, eve", file, "ok"):
        assert words in result.stdout
    found = json.loads(run(main, path, "--json").stdout)
    assert found["sound"]
    assert found["files"][file]["status"] == "ok"


@every
def test_what_is_not_whole_is_exit_code_1(
    make: Callable[[Path], Path], what: str, file: str, model: Path
) -> None:
    path = make(model)
    broken = path / file if path.is_dir() else path
    data = bytearray(broken.read_bytes())
    # In a .tar: inside of what its first file says of the others.
    at = data.index(b"  model/weights") - 1 if path.suffix == ".tar" else len(data) - 12
    data[at] = ord("0") if data[at] != ord("0") else ord("1")
    broken.write_bytes(data)
    result = run(main, path)
    assert result.exit_code == 1, result.output
    assert "changed" in result.stdout


@pytest.mark.parametrize(
    "name", ["../secret", "model/../../secret", "{secret}", "/dev/zero", "a\0b"]
)
def test_a_strangers_list_leads_to_no_file_outside(name: str, model: Path) -> None:
    folder, secret = bundle(model), model.parent / "secret"
    secret.write_bytes(b"mine")
    named = name.replace("{secret}", str(secret))
    with (folder / place.SUMS).open("a", encoding="utf-8") as sums:
        sums.write(f"{place.digest(b'mine')}  {named}\n")
    result = run(main, folder, "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)["files"][named]
    assert found["sha256"] == ""
    assert found["status"] in ("leads out of the folder", "no name of a file")


def test_machine_code_is_named_and_not_run(model: Path) -> None:
    lines = run(main, c_api(model)).stdout.splitlines()
    assert "code         libwavestep.so  Linux machine code" in lines


def test_a_file_that_a_site_lacks(model: Path) -> None:
    path = site(model)
    (path / "model/model.wn").unlink()
    result = run(main, path)
    assert result.exit_code == 1
    assert "model/model.wn    0                missing" in result.stdout


@pytest.mark.parametrize("content", [b"", b"\x89WNM", b"SHA256SUMS", b"\x1f\x8b"])
def test_what_is_none_of_it_is_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.wn").write_bytes(content)
    assert "has no manifest.json beside it" in error_of(main, tmp_path / "x.wn")
    (tmp_path / "empty").mkdir()
    assert "is not a model directory" in error_of(main, tmp_path / "empty")
