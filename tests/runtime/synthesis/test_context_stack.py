"""Streams of a model with a context stack: each voice has its own past, and takes it along."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import SPEAKER, small_spec
from tests.runtime.conditioning.stacks import PLAIN, random_stack
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError

STACKS = {"plain": PLAIN, **{f"random {seed}": random_stack(seed) for seed in (1, 2)}}
ENGINES = pytest.mark.parametrize("engine", ["onnx", "native"])


def directory_of(folder: Path, stack: ContextStack, batch: int = 1) -> Path:
    conditioning = (GlobalConditions((SPEAKER,)), stack)
    return write_model(folder / "model", small_spec(conditioning=conditioning), batch=batch)


@ENGINES
@pytest.mark.parametrize("name", STACKS)
def test_reads_of_any_sizes_are_one(tmp_path: Path, engine: str, name: str) -> None:
    rng = np.random.default_rng(3)
    with wn_runtime.open(directory_of(tmp_path, STACKS[name]), engine, "fp32") as model:
        whole = model.stream(seed=1, speaker="bob").read(500)
        for _ in range(2):
            cuts = sorted({0, 500, *rng.integers(1, 500, 12).tolist()})
            stream = model.stream(seed=1, speaker="bob")
            found = [stream.read(end - start) for start, end in itertools.pairwise(cuts)]
            assert np.array_equal(np.concatenate(found), whole)


@ENGINES
def test_a_slot_begins_anew_without_a_past_and_the_others_keep_theirs(
    tmp_path: Path, engine: str
) -> None:
    directory = directory_of(tmp_path, PLAIN)
    with (
        wn_runtime.open(directory, engine, "fp32", batch=3) as trio,
        wn_runtime.open(directory, engine, "fp32") as one,
    ):
        undisturbed = trio.stream(seed=1, speaker="eve").read_samples(160)
        stream = trio.stream(seed=1, speaker="eve")
        before = stream.read_samples(80)
        stream.reset(slots=[1], seed=[42], speaker="bob")
        made = np.concatenate([before, stream.read_samples(80)])
        assert np.array_equal(made[:, [0, 2]], undisturbed[:, [0, 2]])
        alone = one.stream(seed=42, speaker="bob").read_samples(80)
        assert np.array_equal(made[80:, [1]], alone)
        stream.read(3)
        with pytest.raises(WavestepError, match="between blocks of the conditioner only: in 5 sam"):
            stream.reset(slots=[1], seed=[3])


def test_a_voice_takes_its_past_to_another_engine_and_slot(tmp_path: Path) -> None:
    directory = directory_of(tmp_path, PLAIN)
    with (
        wn_runtime.open(directory, "native", "fp32", batch=2) as two,
        wn_runtime.open(directory, "onnx", "fp32") as one,
    ):
        source = one.stream(seed=7, speaker="ann")
        source.read(64)
        kept = source.snapshot()
        onward = source.read_samples(100)
        target = two.stream(seed=9, speaker="bob")
        target.read(24)
        target.restore(kept, [1])
        assert np.array_equal(target.read_samples(100)[:, [1]], onward)
        source.reset(seed=7, speaker="ann")
        source.read(61)  # within a block: as a whole only
        inside = source.snapshot()
        onward = source.read_samples(100)
        assert np.array_equal(source.restore(inside).read_samples(100), onward)
