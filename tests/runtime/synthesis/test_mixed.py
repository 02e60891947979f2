"""Streams whose engine mixes the bias: their audio, and snapshots taken within a block."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import safetensors
from numpy.typing import NDArray
from safetensors import numpy as safetensors_numpy

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import SPEAKER, small_spec
from tests.runtime.conditioning.test_stretched import weights_of
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.conditioning.stretched import StretchedFrames
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.model import Model
from wn_runtime.synthesis.snapshot import Snapshot
from wn_runtime.synthesis.stream import Stream

pytestmark = needs_compiler
CHANNELS, FRAMES, HOP = 5, 20, 48
STRETCHED = StretchedFrames(CHANNELS, (4, 12), (1, 1), (1, 1), context=1)
SPEC = small_spec((1, 2, 8, 16), kernel=3, conditioning=(GlobalConditions((SPEAKER,)), STRETCHED))
READ = 5 * HOP + 17


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("mixed") / "voice", SPEC, weights=weights_of(SPEC))


@pytest.fixture(params=[1, 3])
def model(directory: Path, request: pytest.FixtureRequest) -> Iterator[Model]:
    with wn_runtime.open(directory, "native", batch=request.param) as opened:
        yield opened


def begun(model: Model, seed: int = 1) -> Stream:
    shape = (FRAMES, model.batch, CHANNELS)
    frames = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    stream = model.stream(seed=seed, speaker="bob")
    stream.push(frames, last=True)
    return stream


def read(stream: Stream, sizes: list[int]) -> NDArray[np.float32]:
    return np.concatenate([stream.read(size) for size in sizes])


def kept(model: Model) -> tuple[Snapshot, NDArray[np.float32]]:
    """A snapshot within a block, and what follows it."""
    stream = begun(model)
    stream.read(READ)
    snapshot = stream.snapshot()
    assert isinstance(snapshot.bias, Mixed)
    return snapshot, stream.read(200)


def test_reads_of_any_sizes_make_the_same_audio(model: Model) -> None:
    whole = begun(model).read(FRAMES * HOP)
    for sizes in ([1] * 100 + [860], [7, HOP, 3 * HOP, 31, 730], [HOP] * FRAMES):
        np.testing.assert_array_equal(read(begun(model), sizes), whole)


def test_they_sound_as_with_rows(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """But where a draw lies within rounding of a class's edge, and what follows it."""
    mixed = begun(model).read(FRAMES * HOP)
    monkeypatch.setattr(NativeEngine, "mixes", False)
    np.testing.assert_array_equal(begun(model).read(HOP), mixed[:HOP])


def test_a_snapshot_within_a_block_goes_on_the_same(model: Model, tmp_path: Path) -> None:
    snapshot, expected = kept(model)
    for sizes in ([200], [3, 60, 137]):
        again = begun(model, seed=2).restore(snapshot)
        np.testing.assert_array_equal(read(again, sizes), expected)
    path = tmp_path / "half.snapshot"
    snapshot.save(path)
    again = begun(model, seed=2).restore(Snapshot.load(path))
    np.testing.assert_array_equal(again.read(200), expected)


def test_an_engine_that_does_not_mix_goes_on_with_it(model: Model, directory: Path) -> None:
    snapshot, expected = kept(model)
    with wn_runtime.open(directory, "onnx", batch=model.batch) as other:
        again = begun(other, seed=2).restore(snapshot)
        np.testing.assert_array_equal(again.read(HOP), expected[:HOP])
        rows = begun(other)
        rows.read(READ)
        assert not isinstance(rows.snapshot().bias, Mixed)
        back = begun(model, seed=2).restore(rows.snapshot())
        np.testing.assert_array_equal(back.read(HOP), expected[:HOP])


def test_one_that_was_tampered_with_is_refused_and_changes_nothing(
    model: Model, tmp_path: Path
) -> None:
    snapshot, _ = kept(model)
    bias = snapshot.bias
    assert isinstance(bias, Mixed)
    rows, mix = bias.rows, bias.mix
    infinite = mix.copy()
    infinite[-1, 0, 0] = np.inf
    path = tmp_path / "half.snapshot"
    stream, other = begun(model), begun(model)
    for wrong in (
        Mixed(rows, infinite),
        Mixed(rows, mix[:-1]),
        Mixed(rows, mix[:, :, :-1]),
        Mixed(rows, mix[:, :0]),
        Mixed(rows, mix[0]),
        Mixed(rows[:0], mix),
        Mixed(rows[:, :0], mix[..., :0]),
        Mixed(rows[:, :, 1:], mix),
        Mixed(rows[0], mix),
        Mixed(rows[0, 0, 0, 0, 0], mix),
        rows,
    ):
        dataclasses.replace(snapshot, bias=wrong).save(path)
        with pytest.raises(WavestepError, match=r"the snapshot's (bias|mix)"):
            stream.restore(Snapshot.load(path))
    np.testing.assert_array_equal(stream.read(READ), other.read(READ))


def test_a_mix_without_rows_is_no_whole_snapshot(model: Model, tmp_path: Path) -> None:
    snapshot, _ = kept(model)
    path = tmp_path / "half.snapshot"
    snapshot.save(path)
    with safetensors.safe_open(path, "numpy") as opened:
        metadata = opened.metadata()
    tensors = safetensors_numpy.load(path.read_bytes())
    del tensors["bias"]
    path.write_bytes(safetensors_numpy.save(tensors, metadata))
    with pytest.raises(WavestepError, match=r"is no whole snapshot .*bias"):
        Snapshot.load(path)
