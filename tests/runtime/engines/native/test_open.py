"""Opening the native engine: what a CPU takes; all of a model's engines share its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.models.model_dir import with_default, write_model
from tests.models.specs import CORNERS, random_bias, random_uniforms, small_spec
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.engines import cores, measured
from wn_runtime.engines.choice import open_engine, open_in
from wn_runtime.engines.native import pack, tune
from wn_runtime.engines.native import streams as native_streams
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.model.package import ModelPackage

SPEC = CORNERS["two_conditions"]


@pytest.fixture(autouse=True)
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(measured, "cache_directory", lambda: tmp_path)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", SPEC, batch=2)


@pytest.fixture
def allocated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes of each piece of memory that is made for packed weights or a state."""
    sizes: list[int] = []
    original = pack.aligned_zeros

    def counted(size: int) -> object:
        sizes.append(size)
        return original(size)

    monkeypatch.setattr(pack, "aligned_zeros", counted)
    monkeypatch.setattr(native_streams, "aligned_zeros", counted)
    return sizes


def native(
    package: ModelPackage, precision: str = "fp32", batch: int = 1, threads: int = 1
) -> NativeEngine:
    engine = open_in(package, None, "native", precision, batch, threads)
    assert isinstance(engine, NativeEngine)
    return engine


@needs_compiler
def test_it_is_what_open_engine_takes_on_a_cpu(directory: Path) -> None:
    engine = open_engine(directory)
    assert (engine.name, engine.precision) == ("native", "fp32")
    assert open_engine(directory, "native", "int8").precision == "int8"
    with_default(directory, "native", "int8")
    assert open_engine(directory).precision == "int8"
    assert open_engine(directory, precision="bf16").precision == "bf16"


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_one_sentence_says_so_and_onnx_runs(directory: Path) -> None:
    said: list[str] = []
    assert open_engine(directory, say=said.append).name == "onnx"
    assert any("no C compiler is here" in line and "\n" not in line for line in said)


@needs_compiler
def test_engines_of_one_package_share_the_packed_weights(directory: Path) -> None:
    package = ModelPackage(directory)
    one, other, wide = native(package), native(package), native(package, batch=3)
    groups = [*one._groups, *other._groups, *wide._groups]
    assert all(group._streams._model is groups[0]._streams._model for group in groups)
    assert other._groups[0]._streams._c is one._groups[0]._streams._c
    states = [group._streams._state for group in groups]
    assert not any(np.shares_memory(a, b) for a in states for b in states if a is not b)
    assert native(package, "int8")._groups[0]._streams._model is not groups[0]._streams._model
    elsewhere = native(ModelPackage(directory))
    assert not np.shares_memory(elsewhere._groups[0]._streams._model, groups[0]._streams._model)


@needs_compiler
def test_another_engine_or_stream_costs_the_memory_of_its_state_only(
    tmp_path: Path, allocated: list[int]
) -> None:
    directory = write_model(tmp_path / "large", small_spec((1, 2), 64, 128, 128, 256, 256))
    package = ModelPackage(directory)
    weights, state = sorted((native(package), allocated.copy())[1], reverse=True)
    for _ in range(2):
        allocated.clear()
        native(package)
        assert allocated == [state]
        assert state < weights / 2
    with wn_runtime.open(directory, "native") as model:
        allocated.clear()
        streams = [model.stream(seed) for seed in range(3)]  # the first has the model's own engine
        assert allocated == [state] * 2
        for stream in streams:
            stream.close()


@needs_compiler
def test_a_group_of_another_size_shares_the_weights_of_the_others(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 2)
    engine = native(ModelPackage(directory), batch=5, threads=2)
    assert [group._streams._shapes.batch for group in engine._groups] == [3, 2]
    assert engine._groups[0]._streams._model is engine._groups[1]._streams._model
    engine.close()


@needs_compiler
def test_a_stream_goes_on_in_the_onnx_engine_and_back_with_the_same_samples(
    directory: Path,
) -> None:
    engine, onnx = (
        open_engine(directory, "native", batch=2),
        open_engine(directory, "onnx", batch=2),
    )
    bias, uniforms = random_bias(SPEC, 2), random_uniforms(90, 2)
    expected = engine.generate(bias, uniforms)
    engine.reset()
    begin = engine.generate(bias, uniforms[:30])
    onnx.restore(engine.snapshot())
    middle = onnx.generate(bias, uniforms[30:60])
    engine.restore(onnx.snapshot())
    end = engine.generate(bias, uniforms[60:])
    np.testing.assert_array_equal(np.concatenate([begin, middle, end]), expected)


@needs_compiler
@pytest.mark.parametrize(
    ("asked", "usable", "note"),
    [
        (1, 1, "1 thread"),
        (2, 4, "2 threads"),
        (8, 1, "1 thread (8 asked for; 1 core can be used)"),
        (8, 2, "2 threads (8 asked for; 2 cores can be used)"),
    ],
)
def test_more_threads_than_cores_are_not_started_and_the_note_says_so(
    directory: Path, monkeypatch: pytest.MonkeyPatch, asked: int, usable: int, note: str
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: usable)
    engine = open_engine(directory, "native", threads=asked)
    assert engine.note == note
    engine.close()


@needs_compiler
def test_without_a_number_small_models_take_one_thread(directory: Path) -> None:
    with wn_runtime.open(directory, "native") as model:
        assert model.note == "1 thread"


@needs_compiler
def test_without_a_number_larger_ones_take_what_was_fastest_and_streams_beside_one(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "usable", lambda: 2)
    monkeypatch.setattr(tune, "_WORTH_US", 0)
    monkeypatch.setattr(tune, "step_us", lambda engines: {n: 8 / n for n in engines})
    monkeypatch.setattr(tune, "_busy", lambda: False)
    with wn_runtime.open(directory, "native") as model:
        assert model.note == "2 threads (2.0× one)"
        with model.stream() as one, model.stream() as other:
            np.testing.assert_array_equal(one.read(50), other.read(50))
            assert other._engine is not None
            assert other._engine.note == "1 thread"

    def again(_engines: object) -> dict[int, float]:
        raise AssertionError("it has been measured")

    monkeypatch.setattr(tune, "step_us", again)
    with wn_runtime.open(directory, "native") as model:
        assert model.note == "2 threads (2.0× one)"
