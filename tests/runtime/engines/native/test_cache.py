"""Compiled libraries: found again, never loaded when damaged or another's, safe among processes."""

import dataclasses
import os
import shutil
import stat
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.runtime.engines.native.targets import needs_compiler
from tests.specs import CORNERS, random_weights
from wn_runtime.engines.cache import entries as cache
from wn_runtime.engines.engine import EngineUnavailable
from wn_runtime.engines.native import compiler as build
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.engines.native.library import Library, compiled
from wn_runtime.engines.native.shapes import PRECISIONS, Shapes
from wn_runtime.errors import WavestepError

SPEC = CORNERS["plain"]
SHAPES = Shapes(SPEC, "fp32", 1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "wavestep"


def _write(text):
    return lambda path: path.write_text(text) and None


def _never(path):
    raise AssertionError("made again")


def test_an_entry_is_made_once_and_private(home):
    library = cache.cached("k", _write("one"))
    assert cache.cached("k", _never) == library
    assert library.read_text() == "one"
    for directory in (home, library.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_an_open_cache_directory_is_closed(home):
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    cache.cached("k", _write("one"))
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_damaged_entry_is_made_again():
    for damage in (
        lambda entry: (entry / "wavenet.so").write_text("on"),
        lambda entry: (entry / "sha256").unlink(),
        lambda entry: (entry / "sha256").write_bytes(b"\xff"),
        lambda entry: (entry / "wavenet.so").unlink(),
        lambda entry: (entry / "wavenet.so").chmod(0o666),
    ):
        library = cache.cached("k", _write("one"))
        damage(library.parent)
        assert cache.cached("k", _write("two")).read_text() == "two"
        cache.cached("k", _never)
        library = cache.cached("k", _write("two"))
        damage(library.parent)
        cache.cached("k", _write("one"))


def test_a_link_to_elsewhere_is_made_again(tmp_path):
    library = cache.cached("k", _write("one"))
    (tmp_path / "planted").write_text("one")
    library.unlink()
    library.symlink_to(tmp_path / "planted")
    assert cache.cached("k", _write("two")).read_text() == "two"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file to another user")
def test_what_another_user_owns_is_not_loaded(home):
    library = cache.cached("k", _write("one"))
    os.chown(library, 12345, 12345)
    assert cache.cached("k", _write("two")).read_text() == "two"
    os.chown(home, 12345, 12345)
    with pytest.raises(WavestepError, match="belongs to user 12345"):
        cache.cached("k", _never)


def test_a_failed_build_leaves_nothing_behind(home):
    with pytest.raises(AssertionError):
        cache.cached("k", _never)
    assert list(home.iterdir()) == []


def test_what_nobody_used_for_a_month_is_deleted(home):
    old = cache.cached("old", _write("one")).parent
    os.utime(old, (0, time.time() - 40 * 24 * 3600))
    cache.cached("new", _write("one"))
    assert [entry.name for entry in home.iterdir()] == ["native-new"]


def test_without_a_writable_home_libraries_live_as_long_as_the_process(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    library = cache.cached("k", _write("one"))
    assert library.read_text() == "one"
    assert stat.S_IMODE(library.parent.parent.stat().st_mode) == 0o700


@needs_compiler
def test_two_processes_at_once_get_one_whole_library(home):
    program = (
        "from tests.runtime.engines.native.test_cache import SHAPES, Library, compiled\n"
        "path = compiled(SHAPES); Library(path, SHAPES); print(path)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    paths = {process.communicate(timeout=120)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(paths) == 1
    assert len(list(home.iterdir())) == 1


@needs_compiler
def test_shapes_flags_and_source_each_have_a_library_of_their_own(monkeypatch, tmp_path):
    paths = {
        compiled(SHAPES),
        compiled(Shapes(SPEC, "fp32", 2)),
        compiled(Shapes(SPEC, "bf16", 1)),
        compiled(SHAPES, ("-DWN_PLAIN",)),
    }
    monkeypatch.setattr(cpu, "features", lambda: frozenset({"other"}))
    paths.add(compiled(SHAPES))
    changed = tmp_path / "source"
    changed.mkdir()
    for path in build.source_files():
        (changed / path.name).write_text(path.read_text() + "/* changed */\n")
    monkeypatch.setattr(build, "SOURCE", changed)
    paths.add(compiled(SHAPES))
    assert len(paths) == 6


@needs_compiler
def test_a_library_of_other_shapes_is_refused():
    other = Shapes(CORNERS["one_layer"], "fp32", 1)
    with pytest.raises(WavestepError, match="other shapes"):
        Library(compiled(other), SHAPES)


def test_what_is_no_library_is_refused(tmp_path):
    (tmp_path / "wavenet.so").write_text("no library")
    with pytest.raises(WavestepError, match="not a native engine for this machine"):
        Library(tmp_path / "wavenet.so", SHAPES)


@needs_compiler
@pytest.mark.parametrize("seed", range(20))
def test_weights_that_do_not_fit_the_spec_never_reach_c(seed):
    """A manifest that lies about sizes: every weight, one axis longer, shorter or one more."""
    rng = np.random.default_rng(seed)
    spec = CORNERS["uneven"]
    weights = random_weights(spec)
    name = sorted(weights)[rng.integers(len(weights))]
    array = weights[name]
    axis = int(rng.integers(array.ndim))
    change = [
        lambda: np.delete(array, 0, axis),
        lambda: np.concatenate([array, array[:1]]),
        lambda: array[None],
        lambda: array.astype(np.float64),
        lambda: array.swapaxes(0, -1) if array.shape[0] != array.shape[-1] else array.ravel(),
    ][rng.integers(5)]
    weights[name] = change()
    if weights[name].shape == array.shape and weights[name].dtype == array.dtype:
        return
    with pytest.raises(WavestepError, match="the spec asks for"):
        NativeEngine(spec, weights, "int8")


@needs_compiler
def test_packed_bytes_and_states_of_another_size_never_reach_c():
    library = Library(compiled(SHAPES), SHAPES)
    model, state = library.model(random_weights(SPEC)), library.state()
    uniforms = np.zeros((2, 1), np.float32)
    for bad_model, bad_state in ((model[:-64], state), (model, state[:-64]), (model[64:], state)):
        with pytest.raises(WavestepError, match="the library reads"):
            library.generate(bad_model, bad_state, None, uniforms, 1.0)


def test_delay_lines_beyond_any_memory_are_refused():
    spec = dataclasses.replace(SPEC, dilations=(2**40,))
    with pytest.raises(WavestepError, match="use fewer streams"):
        Shapes(spec, "fp32", 1)


def test_no_compiler_is_a_reason_not_a_crash(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(EngineUnavailable, match=r"no C compiler is here; .*apt install gcc"):
        NativeEngine(SPEC, random_weights(SPEC), "fp32")
    monkeypatch.setenv("CC", "mycc -m64")
    with pytest.raises(EngineUnavailable, match=r"\$CC is 'mycc -m64', which does not run"):
        build.find_compiler()


@needs_compiler
def test_a_compiler_that_fails_is_quoted(monkeypatch):
    with pytest.raises(WavestepError, match=r"could not compile .*error"):
        compiled(SHAPES, ("-march=pdp11",))


@needs_compiler
@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm, of binutils")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("batch", [1, 3])
def test_nothing_in_the_sequential_loop_can_allocate_or_call_the_system(precision, batch):
    """The library has no way to: of other libraries it uses the copying of bytes, at most."""
    library = compiled(Shapes(SPEC, precision, batch))
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    ).stdout
    symbols = [line.split()[-2:] for line in listed.splitlines()]
    used = {name.split("@")[0] for kind, name in symbols if kind != "w"}  # w: the loader's own
    assert used <= {"memcpy", "memmove", "memset"}


def test_the_source_lies_beside_the_package():
    assert [path.name for path in build.source_files()] == [
        "amx.h", "floats.h", "int8.h", "matrix.h", "vector.h", "wavenet.c",
    ]  # fmt: skip
