"""nv-wavenet's headers are edited where they were meant to be, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.peers.nv_wavenet.build import (
    EDITS,
    PROGRAMS,
    Edit,
    Program,
    compile_all,
    edited,
    prepare,
)
from wn_runtime.errors import WavestepError

EDIT = Edit("a.cuh", "old(x)", "new(x)", "why")


def checkout(folder: Path) -> Path:
    """A stand-in: the main header, and each edit's text in its file."""
    folder.mkdir()
    (folder / "nv_wavenet.cuh").write_text("class nvWavenetInfer;\n")
    for edit in EDITS:
        (folder / edit.file).write_text(f"return {edit.old};\n")
    return folder


def test_the_one_place_is_edited() -> None:
    assert edited("a old(x) b", EDIT) == "a new(x) b"


@pytest.mark.parametrize(("text", "places"), [("a", 0), ("old(x) old(x)", 2)])
def test_another_text_is_refused(text: str, places: int) -> None:
    with pytest.raises(WavestepError, match=rf"a.cuh has 'old\(x\)' in {places} places, not in 1"):
        edited(text, EDIT)


def test_copies_are_edited_and_the_checkout_stays(tmp_path: Path) -> None:
    source, copy = checkout(tmp_path / "source"), tmp_path / "copy"
    copy.mkdir()
    digest = prepare(source, copy)
    for edit in EDITS:
        assert (copy / edit.file).read_text() == f"return {edit.new};\n"
        assert (source / edit.file).read_text() == f"return {edit.old};\n"
    assert prepare(source, copy) == digest
    (source / "nv_wavenet.cuh").write_text("class another;\n")
    assert prepare(source, copy) != digest


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match=r"has no nv_wavenet\.cuh; give a checkout"):
        prepare(tmp_path, tmp_path)


def test_a_program_is_compiled_for_its_presets_shapes() -> None:
    found = Program("L30 R64 S256", "fp16", "persistent").definitions
    assert {"-DLAYERS=30", "-DRESIDUAL=64", "-DSKIP=256", "-DOUTPUTS=256"} <= set(found)
    assert {"-DMAX_DILATION=512", "-DWEIGHT=half2", "-DDATA=half", "-DIMPLEMENTATION=3"} <= set(
        found
    )


def test_every_program_is_compiled(tmp_path: Path) -> None:
    nvcc = tmp_path / "nvcc"
    nvcc.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; touch "$2"\n')
    nvcc.chmod(0o755)
    compile_all(str(nvcc), "sm_90", tmp_path)
    assert {program.name for program in PROGRAMS} == {p.name for p in tmp_path.iterdir()} - {"nvcc"}


def test_the_compilers_error_is_the_message(tmp_path: Path) -> None:
    nvcc = tmp_path / "nvcc"
    nvcc.write_text('#!/bin/sh\necho warning: x\necho "a.cuh(3): error: no member"\nexit 1\n')
    nvcc.chmod(0o755)
    with pytest.raises(WavestepError, match=r"nvcc cannot compile .*: a\.cuh\(3\): error: no mem"):
        compile_all(str(nvcc), "sm_90", tmp_path)
