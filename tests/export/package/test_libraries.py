"""`wn-export --target` leaves a library for the device, and a rebuild there keeps it."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.export.checkpoints import write_checkpoint
from tests.models.model_dir import records, with_default, write_model
from tests.models.specs import PLAIN
from wn_export.commands.export import main
from wn_export.package.libraries import add_library, keep_libraries
from wn_runtime.engines import trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.native import zig
from wn_runtime.engines.native.precompiled import fitting
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact, FileRecord, Manifest

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here")


def export(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def library_of(directory: Path) -> Artifact:
    (library,) = [a for a in manifests.read(directory).artifacts if a.engine == "native"]
    return library


ARM_GCC = "aarch64-linux-gnu-gcc"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which(ARM_GCC) is None, reason=f"{ARM_GCC} is not installed")
def test_a_jetsons_library_travels_in_the_model_and_survives_a_rebuild(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "voice.pt", PLAIN)
    target = tmp_path / "voice"
    text = export(checkpoint, "-o", target, "--target", "orin-nano-8gb")
    assert "compiled ahead for armv8.2-a+dotprod" in text
    library = library_of(target)
    files = [a.file for a in manifests.read(target).artifacts if a.engine != "onnx"]
    named = " and ".join([", ".join(files[:-1]), files[-1]]) + " are code"
    trusting = f"next     on the device: wn-run --trust {target}, as {named}; then "
    assert text.splitlines()[-1] == f"{trusting}wn-run {target}"
    assert library.precision == manifests.read(target).default_precision["native"]
    assert library.built["machine"] == "aarch64"
    assert "asimddp" in library.built["features"]
    assert (target / library.file).read_bytes()[:4] == b"\x7fELF"
    export(target)
    assert library_of(target) == library
    manifest = manifests.read(target)
    manifests.verify(target, manifest)
    assert fitting(manifest, library.precision, 1) is None  # not this machine's


@needs_compiler
def test_for_this_machines_cpu_none_need_compile_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = write_checkpoint(tmp_path / "voice.pt", PLAIN)
    target = tmp_path / "voice"
    text = export(checkpoint, "-o", target, "--target", "cpu")
    assert "compiled ahead for native" in text
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(zig, "command", tuple)
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    engine = open_engine(target, "native")
    assert engine.precision == library_of(target).precision
    engine.close()
    made = [path.name.split("-")[0] for path in (tmp_path / "cache").glob("*/*/")]
    assert made == ["ahead"], "a copy of the library, and nothing compiled"


@needs_compiler
def test_the_library_is_of_the_precision_that_parity_chose(tmp_path: Path) -> None:
    directory = with_default(write_model(tmp_path / "voice", PLAIN), "native", "bf16")
    manifest, _ = add_library(directory, manifests.read(directory), "native", directory)
    library = manifest.artifacts[-1]
    assert (library.file, library.precision) == ("native.bf16.so", "bf16")
    manifests.verify(directory, manifest, library.file)


def test_without_a_compiler_for_it_the_export_is_complete_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(zig, "command", tuple)
    directory = write_model(tmp_path / "voice", PLAIN)
    before = manifests.read(directory)
    after, line = add_library(directory, before, "cortex-a76", directory)
    assert after == before
    assert line is not None
    assert line.startswith("native   not compiled ahead for cortex-a76: ")
    assert not list(directory.glob("*.so"))


@needs_compiler
def test_what_is_compiled_here_is_trusted_and_where_it_cannot_be_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    directory = write_model(tmp_path / "voice", PLAIN)
    manifest, line = add_library(directory, manifests.read(directory), "native", tmp_path / "final")
    assert line == "native   native.fp32.so, compiled ahead for native"
    assert trust.trusted() == {manifest.files["native.fp32.so"].sha256}
    assert str(tmp_path / "final" / "native.fp32.so") in trust.store().read_text()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    _, line = add_library(directory, manifests.read(directory), "native", directory)
    assert line is not None
    assert "compiled ahead for native; not trusted to run here: " in line


def carried(directory: Path, content: bytes, **changes: Any) -> tuple[Path, Manifest]:
    """A model directory with a file that its manifest says is a library."""
    record = FileRecord(hashlib.sha256(content).hexdigest(), len(content))
    library = Artifact("native.fp32.so", "native", "fp32", 1)
    library = dataclasses.replace(library, **changes)
    (directory / library.file).write_bytes(content)
    manifest = manifests.with_artifact(manifests.read(directory), library, record)
    return directory, manifest


def test_a_strangers_library_is_carried_over_and_no_more_trusted_for_it(tmp_path: Path) -> None:
    source, old = carried(write_model(tmp_path / "voice", PLAIN), b"a stranger's code")
    copy = write_model(tmp_path / "copy", PLAIN)
    kept = keep_libraries(source, old, copy, manifests.read(copy))
    assert (copy / "native.fp32.so").read_bytes() == b"a stranger's code"
    assert kept.artifacts[-1] == old.artifacts[-1]
    assert kept.files["native.fp32.so"].sha256 not in trust.trusted()


def test_a_changed_library_is_not_carried_over(tmp_path: Path) -> None:
    source, old = carried(write_model(tmp_path / "voice", PLAIN), b"as recorded")
    (source / "native.fp32.so").write_bytes(b"changed")
    copy = write_model(tmp_path / "copy", PLAIN)
    with pytest.raises(WavestepError, match=r"native\.fp32\.so has 7 bytes"):
        keep_libraries(source, old, copy, manifests.read(copy))


@pytest.mark.parametrize(
    "changes",
    [{"file": "step.onnx"}, {"file": "conditioner.onnx"}, {"file": "x.so"}, {"precision": "int8"}],
)
def test_what_has_not_a_librarys_name_takes_no_graphs_place(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    copy = write_model(tmp_path / "copy", PLAIN)
    before = records(copy)
    source, old = carried(write_model(tmp_path / "voice", PLAIN), b"not a graph", **changes)
    assert keep_libraries(source, old, copy, manifests.read(copy)) == manifests.read(copy)
    assert records(copy) == before


def test_a_library_that_leads_elsewhere_or_is_endless_is_refused(tmp_path: Path) -> None:
    copy = write_model(tmp_path / "copy", PLAIN)
    source, old = carried(write_model(tmp_path / "voice", PLAIN), b"code")
    (source / "native.fp32.so").rename(tmp_path / "outside")
    (source / "native.fp32.so").symlink_to(tmp_path / "outside")
    with pytest.raises(WavestepError, match="a link that leads out of the directory"):
        keep_libraries(source, old, copy, manifests.read(copy))
    (source / "native.fp32.so").unlink()
    os.mkfifo(source / "native.fp32.so")
    with pytest.raises(WavestepError, match=r"native\.fp32\.so"):
        keep_libraries(source, old, copy, manifests.read(copy))
    huge = dataclasses.replace(old.files["native.fp32.so"], bytes=2**33)
    old = manifests.with_artifact(old, old.artifacts[-1], huge)
    with pytest.raises(WavestepError, match=r"has 8589934592 bytes, over"):
        keep_libraries(source, old, copy, manifests.read(copy))
