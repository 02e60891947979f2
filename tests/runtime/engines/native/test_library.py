"""A compiled library: one for all that it depends on, and nothing that does not fit reaches C."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.specs import CORNERS, random_uniforms, random_weights
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.engines.cache import entries
from wn_runtime.engines.cache.entries import Entry
from wn_runtime.engines.native import compiler, cpu
from wn_runtime.engines.native import library as libraries
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.layout import initial

SPEC = CORNERS["plain"]
SHAPES = Shapes(SPEC, "fp32", 1)


@needs_compiler
def test_all_that_a_library_is_made_from_and_for_is_in_its_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Entry] = []

    def load(entry: Entry, make: Any, read: Any) -> None:
        asked.append(entry)

    monkeypatch.setattr(entries, "load", load)
    compiled(SHAPES)
    compiled(Shapes(SPEC, "fp32", 2))
    compiled(Shapes(SPEC, "bf16", 1))
    compiled(Shapes(dataclasses.replace(SPEC, residual_scale=0.5), "fp32", 1))
    compiled(SHAPES, ("-DWN_PLAIN",))
    found = compiler.find_compiler()
    with monkeypatch.context() as changed:
        changed.setattr(libraries, "find_compiler", lambda: dataclasses.replace(found, version="9"))
        compiled(SHAPES)
    with monkeypatch.context() as changed:
        changed.setattr(cpu, "features", lambda: frozenset({"other"}))
        compiled(SHAPES)
    with monkeypatch.context() as changed:
        changed.setattr(Softmax, "source", lambda self, suffix: "/* another draw */")
        compiled(SHAPES)
    shutil.copytree(compiler.SOURCE, tmp_path / "source")
    monkeypatch.setattr(compiler, "SOURCE", tmp_path / "source")
    for path in compiler.source_files():
        path.write_text(path.read_text() + "/* changed */\n")
        compiled(SHAPES)
    assert len({entry.name for entry in asked}) == len(asked) == 8 + len(compiler.source_files())
    compiled(SHAPES)
    assert asked[-1].name == asked[-2].name


@needs_compiler
def test_processes_at_the_same_time_get_one_whole_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import json, sys\n"
        "from wn_runtime.engines.native.library import compiled\n"
        "from wn_runtime.engines.native.shapes import Shapes\n"
        "from wn_runtime.model.spec import ModelSpec\n"
        "shapes = Shapes(ModelSpec.from_dict(json.loads(sys.argv[1])), 'fp32', 1)\n"
        "print(compiled(shapes).model_bytes)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, json.dumps(SPEC.to_dict())],
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = {process.communicate(timeout=120)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(told) == 1
    assert len(list((tmp_path / "wavestep").iterdir())) == 1
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(libraries, "compile_library", None)  # there is nothing left to compile
    assert told == {f"{compiled(SHAPES).model_bytes}\n"}


@needs_compiler
def test_a_library_that_was_kept_but_does_not_load_is_compiled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(libraries, "compile_library", lambda *arguments: arguments[-1].write_text(""))
        with pytest.raises(EngineUnavailable, match=r"not a native engine .* though just compiled"):
            compiled(SHAPES)
    assert compiled(SHAPES).shapes == SHAPES


@needs_compiler
def test_a_library_of_other_shapes_is_refused(tmp_path: Path) -> None:
    other = Shapes(CORNERS["one_layer"], "fp32", 1)
    target = cpu.native_flags()
    compiler.compile_library(compiler.find_compiler(), target, other, tmp_path / "other.so")
    with pytest.raises(WavestepError, match="was compiled for a model of other shapes"):
        Library(tmp_path / "other.so", SHAPES)


@needs_compiler
def test_an_older_library_that_lacks_a_call_is_refused_in_the_same_words(tmp_path: Path) -> None:
    found, path = compiler.find_compiler(), tmp_path / "older.so"
    code = '__attribute__((visibility("default"))) const char *wn_shapes(void) { return "old"; }'
    command = [*found.command, *found.flags, "-x", "c", "-", "-o", str(path)]
    subprocess.run(command, input=code, text=True, check=True, env=found.environment())
    with pytest.raises(WavestepError, match="other shapes; export the model again"):
        Library(path, SHAPES)


@needs_compiler
def test_another_heads_draw_is_another_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "native.so"
    compiler.compile_library(compiler.find_compiler(), cpu.native_flags(), SHAPES, path)
    Library(path, SHAPES)
    newer = (Softmax().source(".h") or "") + "/* newer */"
    monkeypatch.setattr(Softmax, "source", lambda self, suffix: newer)
    with pytest.raises(WavestepError, match="was compiled for a model of other shapes"):
        Library(path, SHAPES)


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wavenet.so").write_text("no library")
    with pytest.raises(WavestepError, match="not a native engine for this machine"):
        Library(tmp_path / "wavenet.so", SHAPES)


def test_a_head_without_c_code_is_a_reason_for_another_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Softmax, "source", lambda self, suffix: None)
    with pytest.raises(EngineUnavailable, match="has no code for the head 'softmax'"):
        SHAPES.header()


@needs_compiler
@pytest.mark.parametrize("name", random_weights(CORNERS["uneven"]))
def test_weights_that_do_not_fit_the_spec_never_reach_c(name: str) -> None:
    """A manifest that lies about sizes: an axis longer or shorter, one more, other numbers."""
    spec = CORNERS["uneven"]
    weights = random_weights(spec)
    array = weights[name]
    wrong: list[Any] = [np.delete(array, 0, axis) for axis in range(array.ndim)]
    wrong += [np.concatenate([array, array[:1]]), array[None], array.astype(np.float64)]
    for changed in wrong:
        with pytest.raises(WavestepError, match="the spec asks for"):
            NativeEngine(spec, {**weights, name: changed}, "int8")


@needs_compiler
def test_arrays_of_another_size_never_reach_c() -> None:
    library = compiled(SHAPES)
    model = library.model(random_weights(SPEC))
    for bad_model in (model[:-64], model[64:]):
        with pytest.raises(WavestepError, match="the library reads"):
            library.streams(bad_model)
    streams = library.streams(model)
    uniforms, inverse = random_uniforms(2), np.ones(1, np.float32)
    for bad_uniforms, bad_inverse in (
        (uniforms[:, :0], inverse),
        (np.repeat(uniforms, 2, axis=2), inverse),
        (uniforms, np.ones(2, np.float32)),
    ):
        with pytest.raises(WavestepError, match="this call takes"):
            streams.generate(None, bad_uniforms, bad_inverse)
    with pytest.raises(WavestepError, match="this call takes"):
        streams.restore(initial(SPEC, 2))


def test_delay_lines_beyond_any_memory_are_refused() -> None:
    spec = dataclasses.replace(SPEC, dilations=(2**20,))
    with pytest.raises(WavestepError, match="use fewer streams"):
        Shapes(spec, "fp32", 2**16)


@needs_compiler
@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm, of binutils")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("batch", [1, 3])
def test_nothing_in_the_sequential_loop_can_allocate_or_call_the_system(
    precision: str, batch: int, tmp_path: Path
) -> None:
    """The library has no way to: of other libraries it uses the copying of bytes, at most.

    Threads that make one stream together may have to wait for each other.
    """
    path, shapes = tmp_path / "native.so", Shapes(SPEC, precision, batch)
    compiler.compile_library(compiler.find_compiler(), cpu.native_flags(), shapes, path)
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", path], capture_output=True, text=True, check=True
    ).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines()]
    used = {name.split("@")[0] for kind, name in symbols if kind != "w"}  # w: the loader's own
    waiting = {"clock_gettime", "nanosleep", "syscall"} if batch == 1 else set()
    assert used <= {"memcpy", "memmove", "memset"} | waiting
