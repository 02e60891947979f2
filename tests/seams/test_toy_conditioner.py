"""Conditioners defined wholly in a test go through train, export, parity and run.

One takes frames, upsamples and looks ahead; one reads the samples that were made; the model has
speakers besides, and a head of the tests' own: every seam at once.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import wn_runtime
from tests.law.conditioners import verify_conditioner_contract
from tests.law.engines import verify_engine_contract
from tests.models.specs import SPEAKER, random_samples, random_weights, small_spec
from tests.seams.toy_conditioners import (
    Contour,
    ContourModule,
    Echo,
    EchoModule,
    add_contour,
    add_echo,
)
from tests.seams.toy_head import StudentT, nll
from tests.seams.voice import tones, trained, utterances
from wn_export.graphs.conditioning.registry import PARTS
from wn_export.package.export import Options, export_checkpoint, rebuild
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.registry import CONDITIONERS
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.errors import WavestepError
from wn_runtime.heads.registry import HEADS
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec
from wn_train.conditioning.registry import MODULES
from wn_train.data.chunks import collate, cut
from wn_train.heads.registry import LOSSES
from wn_train.network.wavenet import WaveNet

SPEC = small_spec(
    (1, 2, 4),
    residual=12,
    gate=24,
    output=StudentT(),
    conditioning=(GlobalConditions((SPEAKER,)), Contour(), Echo()),
)
TIMING = Timing.of(SPEC.conditioning)
Array = NDArray[np.float32]


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    """All that they add to the product's tables: three lines each."""
    with pytest.MonkeyPatch.context() as patch:
        for spec, module, graph in (
            (Contour, ContourModule, add_contour),
            (Echo, EchoModule, add_echo),
        ):
            patch.setitem(CONDITIONERS, spec.kind, spec)
            patch.setitem(MODULES, spec.kind, module)
            patch.setitem(PARTS, spec.kind, graph)
        patch.setitem(HEADS, StudentT.kind, StudentT)
        patch.setitem(LOSSES, StudentT.kind, nll)
        yield


def contours(audio: list[Array]) -> list[Array | None]:
    """Level and slope of each four samples."""
    found: list[Array | None] = []
    for wave in audio:
        pieces = wave[: len(wave) // 4 * 4].reshape(-1, 4)
        found.append(np.stack([pieces.mean(1), pieces[:, -1] - pieces[:, 0]], 1).astype("f4"))
    return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    audio = tones()
    data = utterances(SPEC, audio, contours(audio))
    checkpoint = trained(folder / "run", SPEC, data, steps=40)
    said: list[str] = []
    options = Options(fp16=True)
    assert export_checkpoint(checkpoint, folder / "model", options, said.append), "\n".join(said)
    return folder / "model"


def random_frames(samples: int, streams: int = 1, seed: int = 0) -> Array:
    shape = (TIMING.frames(samples), streams, 2)
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_they_are_a_spec_like_any_other() -> None:
    assert ModelSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
    assert (TIMING.hop, TIMING.lookahead, TIMING.block, TIMING.memory) == (4, 4, 8, 8)
    assert TIMING.frames(16) == 5


def test_blocks_of_any_size_are_one_pass() -> None:
    for spec in (SPEC, small_spec(output=StudentT(), conditioning=(Contour(),))):
        conditioner = Conditioner(spec, random_weights(spec))
        conditions: dict[str, Values] = {"speaker": ["ann", "eve"]} if spec.conditions else {}
        samples = random_samples(spec, 96, 2)
        verify_conditioner_contract(conditioner, conditions, random_frames(96, 2), samples)


def test_the_engines_obey_the_contract_with_rows_held() -> None:
    weights = random_weights(SPEC)
    verify_engine_contract(NativeEngine(SPEC, weights, "fp32", 2), weights)


def test_chunks_predict_what_the_whole_file_does() -> None:
    audio = tones(2, 603)
    data = utterances(SPEC, audio, contours(audio))[:1]
    torch.manual_seed(0)
    model = WaveNet(SPEC).eval()
    pieces = cut(data, SPEC, chunk=100)
    assert len(pieces) > 3
    assert all((piece.start - piece.context) % TIMING.block == 0 for piece in pieces)
    with torch.no_grad():
        whole = collate(cut(data, SPEC, chunk=10_000), data, SPEC)
        expected = model(whole.samples, whole.conditions, whole.frames)[0]
        for piece in pieces:
            batch = collate([piece], data, SPEC)
            found = model(batch.samples, batch.conditions, batch.frames)[0]
            own = found[piece.context : piece.length]
            error = (own - expected[piece.start : piece.start + len(own)]).abs().max()
            assert error < 1e-5 * expected.abs().max(), piece


def test_parity_proves_engines_and_both_ways_of_conditioning(directory: Path) -> None:
    manifest = manifests.read(directory)
    assert all(row.passed for row in manifest.parity)
    assert {row.engine for row in manifest.parity} >= {"native", "onnx"}
    assert {(row.name, row.passed) for row in manifest.conditioner_parity} == {
        ("numpy", True),
        ("onnx", True),
    }
    assert 0 < max(row.max_error or 0 for row in manifest.conditioner_parity) < 1e-5


def test_the_directory_rebuilds_itself_without_torch(directory: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert rebuild(directory, tmp_path / "again", Options(), said.append), "\n".join(said)


def test_it_streams_in_pieces_of_any_size(directory: Path) -> None:
    frames = random_frames(200)
    with wn_runtime.open(directory, "native", "fp32") as model:
        whole = model.stream(seed=1, frames=frames, speaker="bob").read(200)
        rng = np.random.default_rng(3)
        for _ in range(3):
            cuts = sorted({0, 200, *rng.integers(1, 200, 9).tolist()})
            stream = model.stream(seed=1, frames=frames, speaker="bob")
            found = [stream.read(b - a) for a, b in itertools.pairwise(cuts)]
            assert np.array_equal(np.concatenate(found), whole)


def test_frames_can_come_while_it_runs(directory: Path) -> None:
    frames = random_frames(200)
    with wn_runtime.open(directory, "native", "fp32") as model:
        whole = model.stream(seed=1, frames=frames).read(200)
        stream = model.stream(seed=1)
        with pytest.raises(WavestepError, match="3 more frames are needed for the next 8 samples"):
            stream.read(1)
        found = []
        for frame in range(0, len(frames), 2):
            stream.push(frames[frame : frame + 2])
            if frame >= 2:  # a block of 8 samples takes two frames and the one ahead
                found.append(stream.read(8))
        assert np.array_equal(np.concatenate(found), whole[: 8 * len(found)])


def test_after_the_last_frame_it_looks_ahead_at_zeros(directory: Path) -> None:
    frames = random_frames(40)[:10]
    padded = np.concatenate([frames, np.zeros((1, 1, 2), np.float32)])
    with wn_runtime.open(directory, "native", "fp32") as model:
        whole = model.stream(seed=1, frames=padded).read(40)
        stream = model.stream(seed=1)
        stream.push(frames, last=True)
        assert np.array_equal(stream.read(40), whole)
        with pytest.raises(WavestepError, match="the last frames have been pushed"):
            stream.read(1)
        with pytest.raises(WavestepError, match="begin the stream anew"):
            stream.push(frames)


def test_a_snapshot_inside_a_block_goes_on_the_same(directory: Path) -> None:
    frames = random_frames(200)
    with wn_runtime.open(directory, "native", "fp32") as model:
        stream = model.stream(seed=1, frames=frames, speaker="eve")
        stream.read(75)  # in the middle of a frame, of a block
        snapshot = stream.snapshot()
        onward = stream.read(100)
        assert np.array_equal(stream.restore(snapshot).read(100), onward)
        with pytest.raises(WavestepError, match="inside a block of its conditioner"):
            model.stream(frames=frames[:5]).restore(snapshot, [0])
    with wn_runtime.open(directory, "onnx", "fp32") as elsewhere:
        moved = elsewhere.stream().restore(snapshot).read(100)
    assert np.abs(moved[:20] - onward[:20]).max() <= 2 / 32768


def test_a_slot_changes_between_blocks_only(directory: Path) -> None:
    frames = random_frames(200, 2)
    with wn_runtime.open(directory, "native", "fp32", batch=2) as model:
        stream = model.stream(seed=[1, 2], frames=frames)
        stream.read(10)
        with pytest.raises(WavestepError, match="between blocks of the conditioner only: in 6"):
            stream.reset([1], seed=3)
        alone = stream.snapshot()
        expected = stream.read(50)[:, 0]
        stream.restore(alone)
        begin = stream.read(6)
        stream.reset([1], seed=3)
        found = np.concatenate([begin, stream.read(44)])
        assert np.array_equal(found[:, 0], expected)


def test_a_voice_takes_its_frames_and_its_past_into_another_stream(directory: Path) -> None:
    frames = random_frames(80, 2)
    with (
        wn_runtime.open(directory, "native", "fp32", batch=2) as two,
        wn_runtime.open(directory, "native", "fp32") as one,
    ):
        source = one.stream(seed=7, frames=frames[:, 1:], speaker="bob")
        source.read(16)
        snapshot = source.snapshot()
        expected = source.read(40)[:, 0]
        both = two.stream(seed=1, frames=frames)
        both.read(16)
        undisturbed = both.snapshot()
        other = both.read(40)[:, 0]
        found = both.restore(undisturbed).restore(snapshot, [1]).read(40)
        assert np.array_equal(found, np.stack([other, expected], axis=1))
        with pytest.raises(WavestepError, match="frames left, the other voices"):
            two.stream(seed=1, frames=frames[:-3]).restore(snapshot, [1])


def test_a_snapshot_from_before_the_last_frame_takes_more(directory: Path) -> None:
    frames = random_frames(40)
    with wn_runtime.open(directory, "native", "fp32") as model:
        stream = model.stream(seed=1, frames=frames[:5])
        before = stream.snapshot()
        stream.push(frames[5:], last=True)
        stream.restore(before).push(frames[5:])
        assert stream.read(40).shape == (40, 1)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((4, 3), np.float32), r"frames are float32 \(4, 3\); this model takes"),
        (np.zeros((4,), np.float32), "frames are"),
        (np.full((4, 2), np.nan, np.float32), "frames hold NaN"),
    ],
)
def test_frames_that_do_not_fit_are_refused(
    directory: Path, frames: NDArray[np.float32], message: str
) -> None:
    with (
        wn_runtime.open(directory, "native") as model,
        pytest.raises(WavestepError, match=message),
    ):
        model.stream().push(frames)


def test_frames_that_are_no_numbers_are_refused(directory: Path) -> None:
    with wn_runtime.open(directory, "native") as model:
        stream = model.stream()
        with pytest.raises(TypeError, match="frames must be an array of numbers, not of <U1"):
            stream.push(np.zeros((4, 2), "U1"))
