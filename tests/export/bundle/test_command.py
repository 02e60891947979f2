"""wn-export --bundle, as it is typed: what it refuses before it begins, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.export.bundle.exported import write_exported
from tests.export.commands.invoke import error_of, run
from tests.export.engines import engines
from tests.models.specs import PLAIN
from wn_export.bundle import wheels
from wn_export.commands.export import main
from wn_runtime.engines.native.compiler import find_compiler
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without an index, parity of one engine, no page."""

    def none(*_: object) -> list[Path]:
        raise wheels.NoWheels("no index")

    monkeypatch.setattr(wheels, "fetch", none)
    monkeypatch.setattr("wn_export.parity.page.page", lambda *given: "<html>")
    with engines("onnx"):
        yield


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    try:
        find_compiler()
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    monkeypatch.chdir(tmp_path)
    return write_exported(tmp_path / "voice", PLAIN)


def test_a_directory_becomes_a_bundle(model: Path, tmp_path: Path) -> None:
    done = run(main, model, "--target", "cpu", "--bundle", "out", "--python", "3.12")
    assert done.exit_code == 0, done.output
    said = done.stdout.splitlines()
    assert said[-1] == "next     scp -r out USER@DEVICE:, then as README.txt in it says"
    assert "(no index); the device needs a network" in said[-2]
    assert said[-3].startswith("bundle   out  for ")
    libraries = {"native.int8.so", "native.bf16.so", "native.fp32.so"}
    assert libraries <= set(manifests.read(tmp_path / "out" / "model").files)
    assert [each.name for each in (tmp_path / "out" / "requirements").iterdir()] == ["3.12.txt"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out", "voice"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--bundle", "out"], "--bundle needs --target"),
        (["--bundle", "out", "--target", "cpuu"], "target 'cpuu' is unknown"),
        (["--bundle", "out", "--target", "h100"], "h100 is a card"),
        (["--bundle", "out", "--target", "nano"], "nano ends at JetPack 4.6"),
        (["--bundle", "out.zip", "--target", "cpu"], "neither a folder nor a .tar"),
        (["--bundle", "voice", "--target", "cpu"], "voice is not a bundle"),
        (["--bundle", "out", "--target", "cpu", "--python", "2.7"], "--python 2.7 is none"),
        (["--python", "3.12"], "--python is of a bundle"),
    ],
)
def test_what_it_cannot_do_it_says_before_it_begins(
    model: Path, arguments: list[str], word: str
) -> None:
    before = (model / "manifest.json").read_bytes()
    assert word in error_of(main, model, *arguments)
    assert (model / "manifest.json").read_bytes() == before
    assert not (model.parent / "out").exists()


def test_a_library_that_does_not_compile_leaves_the_directory_and_no_bundle(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise EngineUnavailable("the compiler says no")

    monkeypatch.setattr("wn_export.package.libraries.precompile", broken)
    done = run(main, model, "--target", "cpu", "--bundle", "out")
    assert done.exit_code == 2
    assert "warning: native not compiled ahead for native: the compiler says no" in done.stdout
    assert done.stderr.startswith("error: no bundle, as nothing was compiled for ")
    assert not (model.parent / "out").exists()
    manifests.verify(model, manifests.read(model))
