"""The wheel of a bundle is what is installed here, to the byte, however it came here."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import wn_runtime
from wn_export.bundle import own_wheel as own
from wn_export.bundle.own_wheel import own_wheel
from wn_runtime.errors import WavestepError


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    name, content = own_wheel()
    assert name == f"wavestep-{metadata.version('wavestep')}-py3-none-any.whl"
    return zipfile.ZipFile(io.BytesIO(content))


def test_it_has_every_module_and_what_lies_beside_them(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    folder = Path(wn_runtime.__path__[0])
    sources = {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*.py")}
    assert sources <= names
    assert {"wn_runtime/engines/native/source/wavenet.c", "wn_export/bundle/install.sh"} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == set(
        own.PACKAGES
    )


def test_it_has_nothing_that_python_or_an_editor_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "wn_toy"
    for name in ("__init__.py", "table.txt", ".table.txt.swp", "__pycache__/a.pyc", "old.pyc"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(own, "PACKAGES", ("wn_toy",))
    names = zipfile.ZipFile(io.BytesIO(own_wheel()[1])).namelist()
    assert [name for name in names if name.startswith("wn_toy")] == [
        "wn_toy/__init__.py",
        "wn_toy/table.txt",
    ]


def test_its_record_is_true_and_complete(wheel: zipfile.ZipFile) -> None:
    (record,) = [name for name in wheel.namelist() if name.endswith("/RECORD")]
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.read(record).decode()))}
    assert set(rows) == set(wheel.namelist())
    for name, (digest, size) in rows.items():
        if name == record:
            continue
        found = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(name)).digest()).decode()
        assert (digest, size) == (f"sha256={found.rstrip('=')}", str(len(wheel.read(name))))


def test_pip_learns_from_it_what_it_needs_and_its_commands(wheel: zipfile.ZipFile) -> None:
    about = f"wavestep-{metadata.version('wavestep')}.dist-info"
    assert b"Requires-Dist: numpy" in wheel.read(f"{about}/METADATA")
    assert b"wn-run = wn_runtime.commands.run:main" in wheel.read(f"{about}/entry_points.txt")
    assert b"Tag: py3-none-any" in wheel.read(f"{about}/WHEEL")


def test_the_same_files_are_the_same_bytes() -> None:
    assert own_wheel() == own_wheel()


def test_where_nothing_is_installed_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(WavestepError, match=r"not installed, so no wheel.*pip install -e"):
        own_wheel()
