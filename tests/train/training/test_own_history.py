"""A past of the network's own: what it is, who hears it, and when it is made anew."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.models import specs
from tests.runtime.engines.native.targets import needs_compiler
from tests.seams.toy_conditioners import Contour, ContourModule
from tests.train.models import random_model
from tests.train.training.test_trainer import CONFIG, PLAN, prepare, run_once
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.engines.native.engine import NativeEngine
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
    spec: ModelSpec,
    utterances: Sequence[Utterance],
    pieces: list[Chunk],
    world: World = HERE,
    settings: TrainingConfig = ALWAYS,
) -> tuple[OwnHistory, WaveNet]:
    model = random_model(spec)
    history = OwnHistory(spec, utterances, settings, world, Stop(), pytest.fail)
    history.renew(model, 3, [pieces])
    return history, model


def heard_of(
    history: OwnHistory, spec: ModelSpec, utterances: Sequence[Utterance], pieces: list[Chunk]
) -> tuple[Batch, Tensor]:
    batch = collate(pieces, utterances, spec)
    heard = history.heard(batch.samples, pieces)
    assert heard is not None
    assert heard.dtype == batch.samples.dtype
    return batch, heard


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
def test_it_is_what_the_model_goes_on_with_from_the_recording(
    spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the likeliest sample, for which one answer is right, in PyTorch's whole forward."""
    spec = dataclasses.replace(spec, dilations=(4, 8, 16))
    monkeypatch.setattr(own_history, "SHORTEST_S", 9 / spec.sample_rate)
    monkeypatch.setattr(own_history, "LONGEST_S", 9 / spec.sample_rate)
    monkeypatch.setattr(NativeEngine, "generate", likeliest(NativeEngine.generate))
    utterances = recordings(spec, [160, 130, 145])
    pieces = cut(utterances, spec, 16)
    history, model = renewed(spec, utterances, pieces)
    batch, heard = heard_of(history, spec, utterances, pieces)
    with torch.no_grad():
        params = model(heard, batch.conditions, batch.frames).numpy()
    changed = 0
    for row, chunk in enumerate(pieces):
        if chunk not in history._made:
            assert not chunk.context
            continue
        own = slice(chunk.context - len(history._made[chunk]), chunk.context)
        assert 9 <= own.stop - own.start < 9 + 8
        assert torch.equal(heard[row, : own.start], batch.samples[row, : own.start])
        assert torch.equal(heard[row, own.stop :], batch.samples[row, own.stop :])
        expected = np.empty((own.stop - own.start, 1), spec.output.sample_dtype)
        for t, one in enumerate(range(own.start, own.stop)):
            pick = spec.output.drawer(params[row, one][None].copy(), np.zeros(1, np.float32))
            pick(np.zeros((1, spec.output.uniforms), np.int32), expected[t])
        found = spec.output.decode(heard[row, own].numpy().astype(spec.output.sample_dtype))
        # A tie may fall either way in float32; after it both go on from what was heard.
        close = np.abs(found - spec.output.decode(expected[:, 0])) < 1e-3
        assert close.mean() > 0.9
        changed += not torch.equal(heard[row, own], batch.samples[row, own])
    assert changed > len(pieces) / 2


def test_a_past_that_reaches_into_the_silence_after_a_recording_is_gone_on_from() -> None:
    spec = dataclasses.replace(GLOBAL, dilations=(4, 8, 16))
    utterances = recordings(spec, [60])
    pieces = cut(utterances, spec, 16, tail=100)
    assert any(chunk.start > 60 for chunk in pieces)
    history, _ = renewed(spec, utterances, pieces)
    assert set(history._made) == {chunk for chunk in pieces if chunk.context}


def likeliest(generate: Callable[..., Any]) -> Callable[..., Any]:
    return lambda engine, bias, uniforms: generate(engine, bias, uniforms, 0.0)


def test_nobody_hears_it_before_it_is_made_and_some_where_a_share_is_asked_for() -> None:
    utterances = recordings(GLOBAL, [120, 150])
    some = dataclasses.replace(ALWAYS, own_history=0.5)
    pieces = cut(utterances, GLOBAL, 4)
    fresh = OwnHistory(GLOBAL, utterances, some, HERE, Stop(), pytest.fail)
    assert fresh.heard(collate(pieces, utterances, GLOBAL).samples, pieces) is None
    history, _ = renewed(GLOBAL, utterances, pieces, settings=some)
    with_past = [chunk for chunk in pieces if chunk.context]
    assert 0.2 < len(history._made) / len(with_past) < 0.8
    heard_of(history, GLOBAL, utterances, pieces)


def test_lengths_are_as_often_short_as_long_and_no_more_chunks_than_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_history, "STREAMS", 2)
    monkeypatch.setattr(own_history, "MOST_CHUNKS", 60)
    spec = dataclasses.replace(GLOBAL, sample_rate=1000, dilations=(64, 128, 256))
    utterances = recordings(spec, [3000])
    pieces = cut(utterances, spec, 16)
    history, _ = renewed(spec, utterances, pieces)
    lengths = [len(made) for made in history._made.values()]
    assert len(lengths) == 60
    assert min(lengths) >= 4
    assert max(lengths) <= 250
    assert 0.3 < np.mean(np.array(lengths) < 32) < 0.7


def test_it_is_made_anew_now_and_then_and_after_a_resumption() -> None:
    utterances = recordings(GLOBAL, [20])
    history = OwnHistory(GLOBAL, utterances, ALWAYS, HERE, Stop(), pytest.fail)
    model, made = random_model(GLOBAL), []
    for step in range(10):
        if history.is_due(step):
            made.append(step)
            history.renew(model, step, [])
    assert made == [3, 6, 9]
    resumed = OwnHistory(GLOBAL, utterances, ALWAYS, HERE, Stop(), pytest.fail)
    assert [resumed.is_due(step) for step in (1, 2, 4)] == [False, False, True]


def test_a_process_makes_what_it_will_train_on() -> None:
    utterances = recordings(GLOBAL, [120, 150])
    pieces = [chunk for chunk in cut(utterances, GLOBAL, 16) if chunk.context]
    for rank in (0, 1):
        history, _ = renewed(GLOBAL, utterances, pieces, World(rank, 2, HERE.device))
        assert set(history._made) == set(pieces[rank::2])


def test_without_a_compiler_it_is_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(WavestepError, match=r"no C compiler is here; .*, or set it to 0"):
        OwnHistory(GLOBAL, recordings(GLOBAL, [20]), ALWAYS, HERE, Stop(), pytest.fail)


def test_who_asks_to_stop_does_not_wait_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_history, "STREAMS", 2)
    stop = Stop()
    utterances = recordings(GLOBAL, [150])
    pieces = cut(utterances, GLOBAL, 16)
    history = OwnHistory(GLOBAL, utterances, ALWAYS, HERE, stop, pytest.fail)
    follow = history._follow

    def interrupted(*given: Any) -> Any:
        stop.number = signal.SIGTERM
        return follow(*given)

    monkeypatch.setattr(history, "_follow", interrupted)
    history.renew(random_model(GLOBAL), 3, [pieces])
    assert len(history._made) == 2


def test_a_run_trains_on_it_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, utterances = prepare(tmp_path)
    plan = dataclasses.replace(PLAN, own_history=1.0, own_history_every=3)
    settings = dataclasses.replace(CONFIG, training=plan)
    found: list[bool] = []
    before = OwnHistory.heard

    def noted(self: OwnHistory, samples: Tensor, batch: Sequence[Chunk]) -> Tensor | None:
        heard = before(self, samples, batch)
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
