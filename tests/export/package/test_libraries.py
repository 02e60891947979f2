"""`wn-export --target` leaves a library for the device, and a rebuild there keeps it."""

import shutil

import pytest
from click.testing import CliRunner

from tests.export.checkpoints import write_checkpoint
from tests.model_dir import write_model
from tests.specs import PLAIN
from wn_export.commands.export import main
from wn_export.package import libraries as ahead_step
from wn_runtime.engines.engine import open_engine
from wn_runtime.engines.native.precompiled import CROSS, fitting
from wn_runtime.model import manifest as manifests
from wn_targets.devices.catalogue import find


def export(*arguments):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.skipif(shutil.which(CROSS) is None, reason=f"{CROSS} is not installed")
def test_a_jetsons_library_travels_in_the_model_and_survives_a_rebuild(tmp_path):
    checkpoint = write_checkpoint(tmp_path / "voice.pt", PLAIN)
    target = tmp_path / "voice"
    text = export(checkpoint, "-o", target, "--target", "orin-nano-8gb")
    assert "compiled ahead for armv8.2-a+dotprod" in text
    library = built(target)
    assert library.built["machine"] == "aarch64"
    assert "asimddp" in library.built["features"]
    assert (target / library.file).read_bytes()[:4] == b"\x7fELF"
    export(target)
    assert built(target) == library
    manifest = manifests.read(target)
    manifests.verify(target, manifest)
    assert fitting(manifest, library.precision, 1) is None  # not this machine's


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed")
def test_for_this_machines_cpu_none_need_compile_it_again(tmp_path, monkeypatch):
    checkpoint = write_checkpoint(tmp_path / "voice.pt", PLAIN)
    target = tmp_path / "voice"
    text = export(checkpoint, "-o", target, "--target", "cpu")
    assert "compiled ahead for native" in text
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    engine = open_engine(target)
    assert (engine.name, engine.precision) == ("native", built(target).precision)
    engine.close()
    assert not (tmp_path / "cache").exists()


def built(directory):
    (library,) = [a for a in manifests.read(directory).artifacts if a.engine == "native"]
    return library


def test_without_a_compiler_for_it_the_export_is_complete_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    directory = write_model(tmp_path / "voice", PLAIN)
    before = manifests.read(directory)
    march = find("cortex-a76").cpu.march
    after, words = ahead_step.add_library(directory, before, march)
    assert after == before
    assert words.startswith(f"not compiled ahead for {march}: ")
    assert not list(directory.glob("*.so"))


def test_a_changed_library_is_not_carried_over(tmp_path):
    directory = write_model(tmp_path / "voice", PLAIN)
    manifest, words = ahead_step.add_library(directory, manifests.read(directory), "native")
    if "not compiled" in words:
        pytest.skip(words)
    (directory / "native.fp32.so").write_bytes(b"changed")
    copy = write_model(tmp_path / "copy", PLAIN)
    with pytest.raises(ahead_step.WavestepError, match=r"native\.fp32\.so"):
        ahead_step.keep_libraries(directory, manifest, copy, manifests.read(copy))
