"""A past of the network's own: what it is, who hears it, and when it is made anew."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import specs
from tests.runtime.engines.native.targets import needs_compiler
from tests.seams.toy_conditioners import Contour, ContourModule
from tests.train.models import random_model
from tests.train.training.test_trainer import CONFIG, PLAN, prepare, run_once
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.errors import WavestepError
from wn_runtime.heads.logistic import Logistic
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint
from wn_train.conditioning.registry import MODULES
from wn_train.config import TrainingConfig
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Batch, Chunk, collate, cut
from wn_train.data.corpus import Recording
from wn_train.network.wavenet import WaveNet
from wn_train.training import own_history
from wn_train.training.distributed import World
from wn_train.training.generate import generate
from wn_train.training.own_history import OwnHistory
from wn_train.training.stopping import Stop

ALWAYS = TrainingConfig(own_history=1.0, own_history_every=3)
HERE = World(0, 1, torch.device("cpu"))
GLOBAL = specs.CORNERS["two_conditions"]
STACK = ContextStack(4, 8, 5, 3, 2, (1, 2), classes=GLOBAL.output.params)
pytestmark = needs_compiler


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, Contour.kind, ContourModule)


def recordings(spec: ModelSpec, lengths: Sequence[int]) -> list[Utterance]:
    """Noise, each with the next value of every condition, the last with none."""
    rng = np.random.default_rng(0)
    found = []
    for i, length in enumerate(lengths):
        values = {c.name: c.values[i % len(c.values)] for c in spec.conditions}
        if i == len(lengths) - 1:
            values = dict.fromkeys(values, "")
        frames = rng.standard_normal((length, 1)).astype(np.float32)
        samples = spec.output.encode(rng.uniform(-0.5, 0.5, length).astype(np.float32))
        recording = Recording(Path(f"{i}.wav"), "train", values)
        found.append(Utterance(recording, samples, frames))
    return found


def renewed(
    spec: ModelSpec, utterances: Sequence[Utterance], world: World = HERE, step: int = 3
) -> tuple[OwnHistory, WaveNet]:
    model = random_model(spec)
    history = OwnHistory(spec, utterances, ALWAYS, world, Stop(), pytest.fail)
    history.renew(model, step)
    return history, model


@pytest.mark.parametrize(
    "spec",
    [
        GLOBAL,
        dataclasses.replace(specs.PLAIN, output=Logistic(3)),
        dataclasses.replace(GLOBAL, conditioning=(*GLOBAL.conditioning, Contour())),
        dataclasses.replace(GLOBAL, conditioning=(*GLOBAL.conditioning, STACK)),
    ],
    ids=["classes", "amplitudes", "frames", "context stack"],
)
def test_it_is_what_the_model_makes_of_recordings_conditions(
    spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_history, "RECORDINGS", 5)
    utterances = recordings(spec, [60, 90, 75])
    history, model = renewed(spec, utterances)
    assert len(history._made) == 5
    assert {len(made) for made in history._made} <= {60, 90, 75}
    # The streams of one call: the recordings are known by their lengths.
    chosen = [next(u for u in utterances if len(u.samples) == len(m)) for m in history._made]
    conditions = {
        c.name: [u.recording.values[c.name] or None for u in chosen] for c in spec.conditions
    }
    rng = np.random.default_rng((ALWAYS.seed, 3, 0))
    rng.integers(3, size=5)
    frames = None
    if any(isinstance(part, Contour) for part in spec.conditioning):
        longest = max(len(u.samples) for u in chosen)
        frames = np.tile(model.padding(), (longest + 8, 5, 1))
        for stream, utterance in enumerate(chosen):
            assert utterance.frames is not None
            frames[: len(utterance.frames), stream] = utterance.frames
    seed = int(rng.integers(2**31))
    longest = max(len(made) for made in history._made)
    expected = generate(model, conditions, 5, longest, seed, frames)
    for stream, made in enumerate(history._made):
        np.testing.assert_allclose(
            spec.output.decode(made), spec.output.decode(expected[: len(made), stream]), atol=1e-3
        )


def heard_of(
    history: OwnHistory, spec: ModelSpec, utterances: Sequence[Utterance], seed: int = 0
) -> tuple[Batch, list[Chunk], Tensor]:
    pieces = cut(utterances, spec, 16)
    batch = collate(pieces, utterances, spec)
    heard = history.heard(batch.samples, pieces, np.random.default_rng(seed))
    assert heard is not None
    return batch, pieces, heard


def test_only_what_comes_before_the_counted_samples_is_another() -> None:
    utterances = recordings(GLOBAL, [120, 150])
    history, _ = renewed(GLOBAL, utterances)
    batch, pieces, heard = heard_of(history, GLOBAL, utterances)
    assert heard.dtype == batch.samples.dtype
    assert any(chunk.context for chunk in pieces)
    made = [list(each) for each in history._made]
    for row, chunk in enumerate(pieces):
        after = slice(chunk.context, None)
        assert torch.equal(heard[row, after], batch.samples[row, after])
        if not chunk.context:
            continue
        past = heard[row, : chunk.context].tolist()
        assert past != batch.samples[row, : chunk.context].tolist()
        assert any(
            past == ([GLOBAL.output.silence] * chunk.context + each[:end])[-chunk.context :]
            for each in made
            for end in range(1, len(each) + 1)
        )


def test_nobody_hears_it_before_it_is_made_and_some_where_a_share_is_asked_for() -> None:
    utterances = recordings(GLOBAL, [120, 150])
    some = dataclasses.replace(ALWAYS, own_history=0.5)
    history = OwnHistory(GLOBAL, utterances, some, HERE, Stop(), pytest.fail)
    pieces = cut(utterances, GLOBAL, 4)
    batch = collate(pieces, utterances, GLOBAL)
    assert history.heard(batch.samples, pieces, np.random.default_rng(0)) is None
    history.renew(random_model(GLOBAL), 3)
    heard = history.heard(batch.samples, pieces, np.random.default_rng(0))
    assert heard is not None
    with_past = [row for row, chunk in enumerate(pieces) if chunk.context]
    other = [row for row in with_past if not torch.equal(heard[row], batch.samples[row])]
    assert 0.2 < len(other) / len(with_past) < 0.8


def test_it_is_made_anew_now_and_then_and_after_a_resumption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_history, "RECORDINGS", 1)
    utterances = recordings(GLOBAL, [20])
    history = OwnHistory(GLOBAL, utterances, ALWAYS, HERE, Stop(), pytest.fail)
    model, made = random_model(GLOBAL), []
    for step in range(10):
        if history.is_due(step):
            made.append(step)
            history.renew(model, step)
    assert made == [3, 6, 9]
    resumed = OwnHistory(GLOBAL, utterances, ALWAYS, HERE, Stop(), pytest.fail)
    assert [resumed.is_due(step) for step in (1, 2, 4)] == [False, False, True]


def test_processes_share_the_work_and_make_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_history, "RECORDINGS", 4)
    utterances = recordings(GLOBAL, [40])
    one, other = (renewed(GLOBAL, utterances, World(i, 2, HERE.device))[0] for i in (0, 1))
    assert len(one._made) == len(other._made) == 2
    assert not any(np.array_equal(a, b) for a in one._made for b in other._made)


def test_without_a_compiler_it_is_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(WavestepError, match=r"no C compiler is here; .*, or set it to 0"):
        OwnHistory(GLOBAL, recordings(GLOBAL, [20]), ALWAYS, HERE, Stop(), pytest.fail)


def test_who_asks_to_stop_does_not_wait_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_history, "STREAMS", 2)
    stop = Stop()
    history = OwnHistory(GLOBAL, recordings(GLOBAL, [20]), ALWAYS, HERE, stop, pytest.fail)
    follow = history._follow

    def interrupted(*given: Any) -> Any:
        stop.number = signal.SIGTERM
        return follow(*given)

    monkeypatch.setattr(history, "_follow", interrupted)
    history.renew(random_model(GLOBAL), 3)
    assert len(history._made) == 2


def test_a_run_trains_on_it_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, utterances = prepare(tmp_path)
    plan = dataclasses.replace(PLAN, own_history=1.0, own_history_every=3)
    settings = dataclasses.replace(CONFIG, training=plan)
    found: list[bool] = []
    before = OwnHistory.heard

    def noted(
        self: OwnHistory, samples: Tensor, batch: Sequence[Chunk], rng: np.random.Generator
    ) -> Tensor | None:
        heard = before(self, samples, batch, rng)
        found.append(heard is not None)
        return heard

    monkeypatch.setattr(OwnHistory, "heard", noted)
    whole, _ = run_once(tmp_path / "whole", spec, utterances, settings)
    assert found[:3] == [False] * 3
    assert any(found[3:])
    plain, _ = run_once(tmp_path / "plain", spec, utterances)
    assert any(not torch.equal(whole.ema[name], plain.ema[name]) for name in plain.ema)

    found.clear()
    half = checkpoint.load(tmp_path / "whole" / "last.pt")
    longer = dataclasses.replace(settings, training=dataclasses.replace(plan, steps=12))
    run_once(tmp_path / "whole", spec, utterances, longer, resume=half)
    assert any(found), "what was made before is not kept, so it is made anew"
