"""`wn-export --target` leaves a library for the device, and a rebuild there keeps it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.export.checkpoints import write_checkpoint
from tests.model_dir import with_default, write_model
from tests.specs import PLAIN
from wn_export.commands.export import main
from wn_export.package.libraries import add_library, keep_libraries
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.native.precompiled import CROSS, fitting
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here")


def export(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def library_of(directory: Path) -> Artifact:
    (library,) = [a for a in manifests.read(directory).artifacts if a.engine == "native"]
    return library


@pytest.mark.skipif(shutil.which(CROSS) is None, reason=f"{CROSS} is not installed")
def test_a_jetsons_library_travels_in_the_model_and_survives_a_rebuild(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "voice.pt", PLAIN)
    target = tmp_path / "voice"
    text = export(checkpoint, "-o", target, "--target", "orin-nano-8gb")
    assert "compiled ahead for armv8.2-a+dotprod" in text
    library = library_of(target)
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
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    engine = open_engine(target, "native")
    assert engine.precision == library_of(target).precision
    engine.close()
    assert not (tmp_path / "cache").exists()


@needs_compiler
def test_the_library_is_of_the_precision_that_parity_chose(tmp_path: Path) -> None:
    directory = with_default(write_model(tmp_path / "voice", PLAIN), "native", "bf16")
    manifest, _ = add_library(directory, manifests.read(directory), "native")
    library = manifest.artifacts[-1]
    assert (library.file, library.precision) == ("native.bf16.so", "bf16")
    manifests.verify(directory, manifest, library.file)


def test_without_a_compiler_for_it_the_export_is_complete_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    directory = write_model(tmp_path / "voice", PLAIN)
    before = manifests.read(directory)
    after, line = add_library(directory, before, "cortex-a76")
    assert after == before
    assert line is not None
    assert line.startswith("native   not compiled ahead for cortex-a76: ")
    assert not list(directory.glob("*.so"))


@needs_compiler
def test_a_changed_library_is_not_carried_over(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "voice", PLAIN)
    manifest, _ = add_library(directory, manifests.read(directory), "native")
    (directory / "native.fp32.so").write_bytes(b"changed")
    copy = write_model(tmp_path / "copy", PLAIN)
    with pytest.raises(WavestepError, match=r"native\.fp32\.so"):
        keep_libraries(directory, manifest, copy, manifests.read(copy))
