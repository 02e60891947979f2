"""A snapshot in a file goes on as the one in memory does; what is no whole snapshot is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import numpy as safetensors_numpy

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, SPEAKER, small_spec
from tests.runtime.conditioning.stacks import PLAIN
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.logistic import Logistic
from wn_runtime.synthesis.model import Model
from wn_runtime.synthesis.snapshot import Snapshot
from wn_runtime.synthesis.stream import Stream

SPECS = {
    **CORNERS,
    "frames": small_spec(conditioning=(LocalFrames(3, 12, 4, (3,), False, "linear", 4),)),
    "context stack": small_spec(conditioning=(GlobalConditions((SPEAKER,)), PLAIN)),
    "mixture": dataclasses.replace(small_spec(), output=Logistic(3)),
}


def begun(model: Model, seed: int) -> Stream:
    """A stream that can make 400 samples."""
    stream = model.stream(seed=seed)
    timing = Timing.of(model.spec.conditioning)
    if timing.frame_channels:
        rng = np.random.default_rng(seed)
        count = timing.frames(400 + timing.block)
        stream.push(rng.normal(size=(count, timing.frame_channels)).astype(np.float32))
    return stream


@pytest.mark.parametrize("name", SPECS)
def test_it_goes_on_as_the_one_in_memory(name: str, tmp_path: Path) -> None:
    directory = write_model(tmp_path / "model", SPECS[name], batch=2)
    path = tmp_path / "half.snapshot"
    with wn_runtime.open(directory, "onnx", batch=2) as model:
        stream = begun(model, 2**63 + 5)
        stream.read(123)
        kept = stream.snapshot()
        kept.save(path)
        expected = stream.read(200)
        other = begun(model, 1).restore(Snapshot.load(path))
        assert np.array_equal(other.read(200), expected)
    assert (
        repr(Snapshot.load(path)) == repr(kept) == "<Snapshot of 2 voices after 123, 123 samples>"
    )


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    stream = model.stream(seed=1, speaker="bob")
    stream.read(50)
    path = tmp_path / "bob.snapshot"
    stream.snapshot().save(path)
    return path


def test_every_cut_is_refused_in_one_line(saved: Path) -> None:
    data = saved.read_bytes()
    for length in [*range(64), *range(64, len(data), 97), len(data) - 1]:
        saved.write_bytes(data[:length])
        with pytest.raises(WavestepError, match="is no snapshot, or was cut short"):
            Snapshot.load(saved)


def test_what_is_no_snapshot_is_refused(saved: Path, tmp_path: Path) -> None:
    tensors = safetensors_numpy.load(saved.read_bytes())
    header = json.loads(saved.read_bytes()[8:].split(b"\0")[0].partition(b"}}")[0] + b"}}")
    stream = json.loads(header["__metadata__"]["stream"])

    def refused(words: str, tensors: dict[str, np.ndarray], **said: str) -> None:
        metadata = {"wavestep.snapshot": "1", "stream": json.dumps(stream), **said}
        saved.write_bytes(safetensors_numpy.save(tensors, metadata))
        with pytest.raises(WavestepError, match=words):
            Snapshot.load(saved)

    refused("is no snapshot of format 1: it says '2'", tensors, **{"wavestep.snapshot": "2"})
    refused("is no whole snapshot", tensors, stream="{}")
    refused("is no whole snapshot", tensors, stream="[" * 100_000)
    refused("is no whole snapshot", tensors, stream=json.dumps({**stream, "offset": 1.5}))
    refused("is no whole snapshot", tensors, stream=json.dumps({**stream, "voices": [[1]]}))
    huge = [[0, 0, 10**400, 0]]
    refused("is no whole snapshot", tensors, stream=json.dumps({**stream, "voices": huge}))
    refused("is no whole snapshot", {k: v for k, v in tensors.items() if k != "frames"})
    refused("is no whole snapshot", {**tensors, "more": np.zeros(1)})
    refused("is no whole snapshot", {**tensors, "other.more": np.zeros(1)})
    with pytest.raises(WavestepError, match="cannot be read"):
        Snapshot.load(tmp_path / "none")


def test_another_models_is_refused_and_changes_nothing(
    model: Model, saved: Path, tmp_path: Path
) -> None:
    directory = write_model(tmp_path / "other", CORNERS["input_kernel_2"])
    with wn_runtime.open(directory, "onnx") as other:
        stream = other.stream(seed=3)
        with pytest.raises(WavestepError, match="this model"):
            stream.restore(Snapshot.load(saved))
        assert np.array_equal(stream.read(50), other.stream(seed=3).read(50))


def test_where_it_cannot_be_written_nothing_is_lost(model: Model, saved: Path) -> None:
    before = saved.read_bytes()
    snapshot = model.stream().snapshot()
    with pytest.raises(WavestepError, match="cannot be written"):
        snapshot.save(saved.parent / "none" / "a")
    with pytest.raises(WavestepError, match="cannot be written"):
        snapshot.save(saved.parent)
    assert saved.read_bytes() == before


@pytest.mark.parametrize(("samples", "cut"), [(8, 3), (8, 7), (5, 0), (5, 4)])
def test_a_history_that_is_not_whole_is_refused(samples: int, cut: int, tmp_path: Path) -> None:
    """The context stack would read it: it is of the block so far, or of the last one."""
    spec = small_spec(conditioning=(PLAIN,))
    assert Timing.of(spec.conditioning).block == 8
    model = wn_runtime.open(write_model(tmp_path / "model", spec), engine="onnx")
    stream = model.stream()
    stream.read(samples)
    whole = stream.snapshot()
    assert len(whole.history) == samples
    other = model.stream()
    with pytest.raises(WavestepError, match=f"history of the snapshot has {cut} samples, not "):
        other.restore(dataclasses.replace(whole, history=whole.history[:cut]))
    other.restore(whole)
    np.testing.assert_array_equal(other.read(40), stream.read(40))


def test_a_history_that_nothing_reads_is_refused(model: Model, saved: Path) -> None:
    whole = Snapshot.load(saved)
    more = np.zeros((3, 1), np.int32)
    with pytest.raises(WavestepError, match="history of the snapshot has 3 samples, not 0"):
        model.stream(speaker="bob").restore(dataclasses.replace(whole, history=more))
