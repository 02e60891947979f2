"""reference.npz comes back as it was written; one that is broken is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.export.references import reference_of
from tests.specs import CORNERS, small_spec
from wn_export.parity import reference
from wn_export.parity.reference import Clip, FreeRun, Prediction, Reference
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples


def same(one: object, other: object) -> bool:
    """Equality of dataclasses that hold arrays, types included."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name))
            for field in dataclasses.fields(one)
        )
    return one == other


def rich_reference(samples: Samples) -> Reference:
    """Two clips of `samples` with frames, and bias of other numbers of rows for each."""
    rng = np.random.default_rng(0)

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    clips = (
        Clip(samples[:50], {"speaker": "theo", "mood": "calm+loud"}, floats(5, 1, 4)),
        Clip(samples[50:81], {}, floats(3, 1, 4)),
    )
    predictions = (
        Prediction(floats(50), np.arange(0, 50, 7), floats(8, 16), floats(5, 3, 1, 6), 50),
        Prediction(floats(31), np.arange(0, 31, 7), floats(5, 16), floats(2, 3, 1, 6), 20),
    )
    free = FreeRun(Clip(samples, {"speaker": "ann"}, floats(8, 1, 4)), 5)
    return Reference("two clips", clips, predictions, free)


@pytest.mark.parametrize("classes", [16, 256, 1000])
def test_a_reference_comes_back_as_it_was_written(tmp_path: Path, classes: int) -> None:
    rng = np.random.default_rng(1)
    written = rich_reference(rng.integers(0, classes, 100).astype(np.int32))
    reference.save(tmp_path / "reference.npz", written)
    assert same(reference.load(tmp_path / "reference.npz"), written)


def test_amplitudes_come_back_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    written = rich_reference(rng.uniform(-1, 1, 100).astype(np.float32))
    reference.save(tmp_path / "reference.npz", written)
    assert same(reference.load(tmp_path / "reference.npz"), written)


@pytest.mark.parametrize("corner", ["plain", "two_conditions"])
def test_constant_conditioning_and_none_come_back_too(tmp_path: Path, corner: str) -> None:
    written = reference_of(CORNERS[corner], conditions={})
    assert (written.predictions[0].bias is None) == (corner == "plain")
    reference.save(tmp_path / "reference.npz", written)
    assert same(reference.load(tmp_path / "reference.npz"), written)


def test_every_sample_counts_alike_whatever_the_clips() -> None:
    made = reference_of(small_spec(), clips=(20, 60))
    one, other = (each.bits for each in made.predictions)
    assert made.bits == pytest.approx((one.sum() + other.sum()) / 80)
    assert made.largest == max(np.abs(each.params).max() for each in made.predictions)


def test_a_broken_reference_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reference.npz"
    with pytest.raises(WavestepError, match=r"reference\.npz is missing"):
        reference.load(path)
    reference.save(path, reference_of(small_spec()))
    whole = path.read_bytes()
    np.savez(tmp_path / "other.npz", x=1)
    other = (tmp_path / "other.npz").read_bytes()
    for data in (b"", b"garbage", whole[:300], whole[: len(whole) // 2], other):
        path.write_bytes(data)
        with pytest.raises(WavestepError, match=r"reference\.npz cannot be read"):
            reference.load(path)
