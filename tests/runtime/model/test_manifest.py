"""The manifest: strict, and the checksums say which file is not what it was."""

from __future__ import annotations

import dataclasses
import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.models import specs
from wn_runtime import files
from wn_runtime.errors import WavestepError
from wn_runtime.model import json_file
from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.locating import locate
from wn_runtime.model.manifest import Artifact, ConditionerRow, FileRecord, Manifest, ParityRow

SPEC = specs.CORNERS["two_conditions"]
FILES = ("weights.safetensors", "step.onnx")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_bytes(name.encode() * 9)
    manifest = Manifest(
        manifests.FORMAT,
        "voice",
        SPEC,
        files={name: manifests.record(tmp_path / name) for name in FILES},
        artifacts=(Artifact("step.onnx", "onnx", "fp32", 1, {"seconds": 1.5}),),
        parity=(ParityRow("onnx", "fp32", 1e-6, 1e-7, 0.0, 100, None, None, True),),
        conditioner_parity=(ConditionerRow("numpy", 1e-7, True),),
        default_precision={"native": "int8"},
        state=layout(SPEC),
        source={"step": 3},
    )
    manifests.write(tmp_path, manifest)
    return tmp_path


def edit(directory: Path, **changes: Any) -> None:
    path = directory / manifests.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_manifest_survives_its_file(directory: Path) -> None:
    read = manifests.read(directory)
    assert read.spec == SPEC
    assert read.parity[0].first_difference is None
    assert read.state == layout(SPEC)
    manifests.write(directory, read)
    assert manifests.read(directory) == read
    manifests.verify(directory, read)
    assert sorted(p.suffix for p in directory.iterdir()) == [".json", ".onnx", ".safetensors"]


Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.unlink(), r"step\.onnx cannot be read \(No such file"),
        (lambda p: p.write_bytes(p.read_bytes()[:-1]), r"step\.onnx has 80 bytes.*says 81"),
        (lambda p: p.write_bytes(b"x" + p.read_bytes()[1:]), r"step\.onnx is not the file.*sha256"),
    ],
)
def test_a_changed_file_is_named(directory: Path, spoil: Spoil, message: str) -> None:
    spoil(directory / "step.onnx")
    manifest = manifests.read(directory)
    manifests.verify(directory, manifest, "weights.safetensors")
    with pytest.raises(WavestepError, match=message):
        manifests.verify(directory, manifest)


def test_a_file_that_may_not_be_read_is_to_be_made_readable(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = manifests.read(directory)

    def forbidden(path: Path, *given: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(files, "size_and_sha256", forbidden)
    with pytest.raises(
        WavestepError, match=r"\(Permission denied\); make it readable: chmod u\+r "
    ):
        manifests.verify(directory, manifest, "step.onnx")
    monkeypatch.setattr(json_file, "load", forbidden)
    with pytest.raises(WavestepError, match=r"readable: chmod u\+r .*manifest\.json$"):
        manifests.read(directory)


def test_a_file_that_the_manifest_does_not_list_is_refused(directory: Path) -> None:
    with pytest.raises(WavestepError, match=r"other\.onnx is not in manifest\.json"):
        manifests.verify(directory, manifests.read(directory), "other.onnx")


RECORD = {"sha256": "0" * 64, "bytes": 0}
OUTSIDE = {"file": "/x", "engine": "onnx", "precision": "fp32", "batch": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 3}, "has format 3, this version reads 2; upgrade wavestep"),
        ({"format": 1, "native_precision": "int8"}, "format 1.* reads 2; export the model again"),
        ({"format": "2"}, "format: expected int, got '2'"),
        ({"naem": "x"}, "key 'naem' is unknown"),
        ({"spec": {}}, "spec: key 'sample_rate' is missing"),
        ({"files": {"../evil": RECORD}}, r"file name '\.\./evil' holds a path separator"),
        ({"artifacts": [OUTSIDE]}, "'/x' holds a path separator"),
        ({"artifacts": [{**OUTSIDE, "steps_per_call": 8}]}, "key 'steps_per_call' is unknown"),
    ],
)
def test_a_wrong_manifest_is_one_line(
    directory: Path, changes: dict[str, Any], message: str
) -> None:
    edit(directory, **changes)
    with pytest.raises(WavestepError, match=message):
        manifests.read(directory)


def test_broken_and_absent_manifests_are_told(directory: Path) -> None:
    path = directory / manifests.MANIFEST
    path.write_text(path.read_text()[:50])
    with pytest.raises(WavestepError, match=r"manifest\.json cannot be read"):
        manifests.read(directory)
    path.write_text("[]")
    with pytest.raises(WavestepError, match="expected a table of keys"):
        manifests.read(directory)
    path.unlink()
    with pytest.raises(WavestepError, match=r"is not a model directory.*; make one with wn-export"):
        manifests.read(directory)
    (directory / "last.pt").touch()
    with pytest.raises(WavestepError, match=r"is missing; run `wn-export .*`"):
        manifests.read(directory)


def test_a_path_names_a_directory_or_a_file_in_one(directory: Path) -> None:
    assert locate(directory) == (directory, None)
    assert locate(directory / "step.onnx") == (directory, "step.onnx")
    with pytest.raises(WavestepError, match="does not exist"):
        locate(directory / "none.onnx")
    with pytest.raises(WavestepError, match=r"build it on this machine with wn-export .* --fp16"):
        locate(directory / "engine.plan")
    (directory / "manifest.json").unlink()
    with pytest.raises(WavestepError, match=r"has no manifest\.json beside it"):
        locate(directory / "step.onnx")
    (directory / "best.pt").write_bytes(b"PK")
    with pytest.raises(WavestepError, match=r"is a training checkpoint; run `wn-export .*pt`"):
        locate(directory / "best.pt")
    with pytest.raises(WavestepError, match=r"first `wn-import .*best.pt -o NAME.pt`"):
        locate(directory / "best.pt")


def test_an_artifact_takes_the_place_of_one_of_its_name(directory: Path) -> None:
    manifest = manifests.read(directory)
    newer = dataclasses.replace(manifest.artifacts[0], batch=8)
    updated = manifests.with_artifact(manifest, newer, FileRecord("0" * 64, 3))
    assert updated.artifacts == (newer,)
    assert updated.files["step.onnx"] == FileRecord("0" * 64, 3)
