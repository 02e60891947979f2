"""The C compiler: the one asked for or any that runs, and its own words where it fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.models.specs import CORNERS, random_weights
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime import system_packages
from wn_runtime.engines.native import compiler, shapes
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError

SPEC = CORNERS["plain"]


@pytest.mark.usefixtures("no_compiler")
def test_no_compiler_is_a_reason_with_the_way_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages, "install", lambda _what, _which: "get gcc")
    with pytest.raises(EngineUnavailable, match=r"no C compiler is here.*; .*get gcc, or .*cc\]"):
        NativeEngine(SPEC, random_weights(SPEC), "fp32")
    monkeypatch.setenv("CC", "mycc -m64")
    with pytest.raises(EngineUnavailable, match=r"\$CC is 'mycc -m64', which does not run"):
        compiler.find_compiler()


@needs_compiler
def test_the_compiler_asked_for_is_taken_with_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    command = next(name for name in ("gcc", "cc", "clang") if shutil.which(name))
    monkeypatch.setenv("CC", f"{command} -g0")
    found = compiler.find_compiler()
    assert found.command == (command, "-g0")
    assert found.version
    assert found.name.startswith(f"{command} (")


@needs_compiler
def test_a_compiler_that_fails_is_quoted_in_one_line(tmp_path: Path) -> None:
    found, shapes = compiler.find_compiler(), Shapes(SPEC, "fp32", 1)
    with pytest.raises(WavestepError, match=r"could not compile .*error.*set \$CC") as error:
        compiler.compile_library(found, ("-march=pdp11",), shapes, tmp_path / "out.so")
    assert "\n" not in str(error.value)
    assert not isinstance(error.value, EngineUnavailable)


@needs_compiler
def test_source_of_another_installation_is_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a long training compiles after an upgrade: its Python is the old one."""
    monkeypatch.setattr(shapes, "_LAYOUT", shapes._LAYOUT - 1)
    found = compiler.find_compiler()
    with pytest.raises(WavestepError, match="installation was replaced meanwhile: start"):
        compiler.compile_library(found, (), Shapes(SPEC, "fp32", 1), tmp_path / "x.so")
    assert not (tmp_path / "x.so").exists()


def test_the_source_lies_beside_the_package() -> None:
    names = [path.name for path in compiler.source_files()]
    headers = "amx block flags floats int8 layers layout matrix model products shares sizes system"
    headers += " taps team vector"
    assert names == [*(f"{name}.h" for name in headers.split()), "wavenet.c"]
