"""Code that came with a model runs where this user has said so, and not a moment before."""

from __future__ import annotations

import dataclasses
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.engines import trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.code import code_artifacts, trust_code
from wn_runtime.engines.native import cpu, zig
from wn_runtime.engines.trust import Untrusted
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact

SPEC = CORNERS["plain"]
LIBRARY = "native.fp32.so"
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who trusts nothing yet, without a compiler."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "data" / "wavestep" / "trusted"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A model whose library leaves a file behind as soon as it is loaded."""
    directory, source = write_model(tmp_path / "model", SPEC), tmp_path / "hostile.c"
    source.write_text(
        "#include <stdio.h>\n__attribute__((constructor)) static void run(void)\n"
        f'{{ fclose(fopen("{tmp_path / "ran"}", "w")); }}\n'
    )
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", str(directory / LIBRARY), str(source)], check=True
    )
    built = {"machine": platform.machine(), "features": sorted(cpu.features())[:1]}
    manifest = manifests.with_artifact(
        manifests.read(directory),
        Artifact(LIBRARY, "native", "fp32", 1, built),
        manifests.record(directory / LIBRARY),
    )
    manifests.write(directory, manifest)
    return directory


@needs_compiler
def test_a_strangers_library_is_not_loaded(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(zig, "command", tuple)
    said: list[str] = []
    assert open_engine(hostile, say=said.append).name == "onnx"
    assert len(said) == 1
    assert "native.fp32.so is code, and nobody here has said to trust it" in said[0]
    for asked in ({"engine": "native"}, {"path": hostile / LIBRARY}):
        with pytest.raises(Untrusted, match=r"wn-run --trust .*model$"):
            wn_runtime.open(**{"path": hostile, **asked})  # type: ignore[arg-type]
    assert not (tmp_path / "ran").exists()


@needs_compiler
def test_once_trusted_it_is_loaded_from_a_copy_of_our_own(hostile: Path, tmp_path: Path) -> None:
    assert [path.name for path in trust_code(hostile)] == [LIBRARY]
    with pytest.raises(WavestepError, match="is not a native engine"):  # but now it ran
        open_engine(hostile / LIBRARY)
    assert (tmp_path / "ran").exists()
    assert trust_code(hostile) == []


@needs_compiler
def test_trust_is_in_the_bytes_not_in_the_place(hostile: Path, tmp_path: Path) -> None:
    trust_code(hostile)
    with (hostile / LIBRARY).open("ab") as file:
        file.write(b"one byte more")
    manifests.write(hostile, manifests.with_file(manifests.read(hostile), hostile / LIBRARY))
    with pytest.raises(Untrusted):
        open_engine(hostile / LIBRARY)
    assert not (tmp_path / "ran").exists()


def test_an_engine_nobody_knows_is_taken_for_code(tmp_path: Path) -> None:
    manifest = manifests.read(write_model(tmp_path / "model", SPEC))
    assert code_artifacts(manifest) == []
    for engine in ("native", "tensorrt", "sonnx"):
        other = Artifact("x.bin", engine, "fp32", 1)
        found = code_artifacts(dataclasses.replace(manifest, artifacts=(other,)))
        assert found == [other]


def test_the_list_is_the_users_own_and_can_be_read(own: Path) -> None:
    assert trust.trusted() == frozenset()
    trust.add({"a" * 64: "mine\x1b[2J", "b" * 64: "yours"})
    trust.add({"b" * 64: "again", "c" * 64: "his"})
    assert trust.trusted() == {"a" * 64, "b" * 64, "c" * 64}
    lines = own.read_text().splitlines()
    assert lines == [f"{'a' * 64}  mine\\x1b[2J", f"{'b' * 64}  yours", f"{'c' * 64}  his"]
    assert own.stat().st_mode & 0o777 == 0o600
    assert own.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("which", ["list", "folder"])
def test_a_list_that_others_may_write_is_worth_nothing(own: Path, which: str) -> None:
    trust.add({"a" * 64: "mine"})
    (own if which == "list" else own.parent).chmod(0o777)
    with pytest.raises(WavestepError, match="may be written by others"):
        trust.trusted()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to another user")
def test_another_users_list_is_worth_nothing(own: Path) -> None:
    trust.add({"a" * 64: "mine"})
    os.chown(own, 12345, 12345)
    with pytest.raises(WavestepError, match="another user's"):
        trust.trusted()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\0", b"a\n\n  \n", b"A" * 64 + b"\n", b"a" * 63 + b"  x\n"]
)
def test_what_is_no_digest_trusts_nothing(own: Path, content: bytes) -> None:
    trust.add({"a" * 64: "mine"})
    own.write_bytes(content)
    assert trust.trusted() == frozenset()
    trust.add({"b" * 64: "next"})
    assert trust.trusted() == {"b" * 64}


def test_without_a_home_nothing_is_trusted_and_adding_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "~/data")  # no shell has expanded it
    monkeypatch.setenv("HOME", "relative")
    assert trust.trusted() == frozenset()
    with pytest.raises(WavestepError, match="set XDG_DATA_HOME"):
        trust.add({"a" * 64: "mine"})
