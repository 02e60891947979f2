"""The training loop: exact resumption, one loss for any number of processes, clean stops."""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.recordings import RATE, write_corpus
from wn_runtime.commands.bar import Bar
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint
from wn_train.checkpoint import Checkpoint
from wn_train.config import Config, DataConfig, ModelConfig, TrainingConfig
from wn_train.data import audio, chunks, corpus
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Batch, Chunk
from wn_train.data.corpus import Recording
from wn_train.network.wavenet import WaveNet
from wn_train.training.distributed import World
from wn_train.training.generate import generate
from wn_train.training.pace import Pace
from wn_train.training.stopping import stop_requests
from wn_train.training.tracking import Tracker
from wn_train.training.trainer import Interrupted, learning_rate, train

HERE = World(0, 1, torch.device("cpu"))
PLAN = TrainingConfig(
    steps=8,
    batch_samples=1500,
    warmup_steps=2,
    validate_every=4,
    sample_every=0,
    learning_rate=1e-2,
)
CONFIG = Config(
    name="t",
    model=ModelConfig(cycle=4, layers=3, residual_channels=8, skip_channels=8, head_channels=8),
    data=DataConfig(chunk_seconds=0.02, condition_dropout=0.3),
    training=PLAN,
)


def prepare(tmp_path: Path) -> tuple[ModelSpec, list[Utterance]]:
    found = corpus.read(write_corpus(tmp_path / "data"))
    model = CONFIG.model
    rate, utterances = audio.load(found, 0, model.output, print)
    spec = ModelSpec(
        sample_rate=rate,
        dilations=model.all_dilations,
        residual_channels=8,
        gate_channels=16,
        skip_channels=8,
        head_channels=8,
        conditioning=(GlobalConditions(found.conditions),),
    )
    return spec, utterances


def run_once(
    run: Path,
    spec: ModelSpec,
    utterances: list[Utterance],
    settings: Config = CONFIG,
    resume: Checkpoint | None = None,
) -> tuple[Checkpoint, list[str]]:
    """The last checkpoint, and what was said."""
    run.mkdir(exist_ok=True)
    said: list[str] = []
    with stop_requests() as stop:
        return train(spec, settings, utterances, run, HERE, resume, said.append, stop), said


def with_steps(steps: int) -> Config:
    return dataclasses.replace(CONFIG, training=dataclasses.replace(PLAN, steps=steps))


def test_a_resumed_run_is_bit_identical_to_an_uninterrupted_one(tmp_path: Path) -> None:
    spec, utterances = prepare(tmp_path)
    whole, whole_said = run_once(tmp_path / "whole", spec, utterances)

    collate, calls = chunks.collate, itertools.count(1)

    def stop_at_5(
        batch: Sequence[Chunk], utterances: Sequence[Utterance], spec: ModelSpec
    ) -> Batch:
        if next(calls) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return collate(batch, utterances, spec)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "collate", stop_at_5)
        with pytest.raises(Interrupted, match=r"saved step 5 to .*last\.pt"):
            run_once(tmp_path / "halved", spec, utterances)
    half = checkpoint.load(tmp_path / "halved" / "last.pt")
    assert half.step == 5
    resumed, said = run_once(tmp_path / "halved", spec, utterances, resume=half)
    assert said[-1] == whole_said[-1]
    for name, weight in whole.model.items():
        assert torch.equal(weight, resumed.model[name]), name
        assert torch.equal(whole.ema[name], resumed.ema[name]), name


def test_accumulation_does_not_change_the_loss(tmp_path: Path) -> None:
    spec, utterances = prepare(tmp_path)
    settings = dataclasses.replace(CONFIG, data=DataConfig(chunk_seconds=0.02))
    one, _ = run_once(tmp_path / "one", spec, utterances, settings)
    parts = dataclasses.replace(settings, training=dataclasses.replace(PLAN, accumulate=3))
    three, _ = run_once(tmp_path / "three", spec, utterances, parts)
    for name, weight in one.ema.items():
        torch.testing.assert_close(weight, three.ema[name], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_two_processes_have_the_loss_of_one(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "data")
    file = tmp_path / "c.toml"
    file.write_text(
        "[model]\ncycle = 4\nlayers = 3\nresidual_channels = 8\nskip_channels = 8\n"
        "head_channels = 8\n"
        "[data]\nchunk_seconds = 0.02\n"
        "[training]\nsteps = 6\nbatch_samples = 1500\nwarmup_steps = 2\nvalidate_every = 3\n"
        "sample_every = 0\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = {}
    for processes in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run"]
        command += [f"--nproc-per-node={processes}", f"--master-port={port}", "-m", "wn_train"]
        command += [str(data), "-o", str(tmp_path / f"run{processes}")]
        command += ["--config", str(file), "--threads", "1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
        lines = [line for line in done.stderr.splitlines() if line.startswith("step ")]
        assert [line.split(":")[0] for line in lines] == ["step 3", "step 6"]
        said[processes] = [
            float(word.lstrip("("))
            for line in lines
            for word in line.split()
            if word.count(".") == 1
        ]
    np.testing.assert_allclose(said[2], said[1], atol=2e-4)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    spec, utterances = prepare(tmp_path)
    run_once(tmp_path / "run", spec, utterances, with_steps(4))
    good = (tmp_path / "run" / "last.pt").read_bytes()
    before = checkpoint.load(tmp_path / "run" / "last.pt")
    first = next(iter(before.model))
    before.model[first] = torch.full_like(before.model[first], torch.nan)
    with pytest.raises(WavestepError, match=r"the loss is nan at step 5; .*last\.pt is kept"):
        run_once(tmp_path / "run", spec, utterances, with_steps(8), resume=before)
    assert (tmp_path / "run" / "last.pt").read_bytes() == good


def test_the_clock_of_the_bar_and_of_the_rates_stands_still_beside_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, utterances = prepare(tmp_path)
    paused: list[str] = []
    seen: dict[str, list[str]] = {"step": [], "validation": [], "samples": []}

    def pausing(kind: type[object], name: str) -> None:
        original = kind.paused  # type: ignore[attr-defined]

        @contextmanager
        def noted(self: object) -> Iterator[None]:
            with original(self):
                paused.append(name)
                yield
                paused.remove(name)

        monkeypatch.setattr(kind, "paused", noted)

    def watched(kind: type[object], method: str) -> None:
        monkeypatch.setattr(kind, method, lambda *given: seen[method].extend(paused or ["none"]))

    pausing(Bar, "bar")
    pausing(Pace, "pace")
    for method in seen:
        watched(Tracker, method)
    plan = dataclasses.replace(PLAN, steps=2, validate_every=2, sample_every=2)
    run_once(tmp_path / "run", spec, utterances, dataclasses.replace(CONFIG, training=plan))
    assert seen == {
        "step": ["none", "none"],
        "validation": ["bar", "pace"],
        "samples": ["bar", "pace"],
    }


def test_the_learning_rate_warms_up_and_falls_to_its_end() -> None:
    plan = TrainingConfig(steps=1000, warmup_steps=100, learning_rate=1.0, final_rate=0.1)
    rates = [learning_rate(step, plan) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert np.argmax(rates) in range(95, 105)
    assert rates[-1] == pytest.approx(0.1)
    assert all(a >= b for a, b in itertools.pairwise(rates[100:]))


@pytest.mark.parametrize(("steps", "peak"), [(20_000, 500), (400, 10), (10, 0)])
def test_by_default_it_warms_up_in_proportion_to_its_steps(steps: int, peak: int) -> None:
    plan = TrainingConfig(steps=steps, learning_rate=1.0)
    rates = [learning_rate(step, plan) for step in range(steps)]
    assert abs(int(np.argmax(rates)) - peak) <= 1 + peak // 100


@pytest.mark.slow
def test_a_model_that_overfits_a_sine_sings_it(tmp_path: Path) -> None:
    hertz, steps = 500, 4096
    settings = Config(
        name="sine",
        training=TrainingConfig(
            steps=500,
            batch_samples=8192,
            warmup_steps=30,
            learning_rate=1e-2,
            ema_decay=0.98,
            validate_every=500,
            sample_every=0,
        ),
    )
    spec = ModelSpec(
        sample_rate=RATE,
        dilations=(1, 2, 4, 8, 16, 32),
        residual_channels=16,
        gate_channels=32,
        skip_channels=32,
        head_channels=32,
    )
    t = np.arange(RATE)
    samples = spec.output.encode(0.5 * np.sin(2 * np.pi * hertz * t / RATE)).astype(np.uint8)
    utterances = [
        Utterance(Recording(tmp_path, split, {}), samples) for split in ("train", "valid")
    ]
    last, _ = run_once(tmp_path / "sine", spec, utterances, settings)
    model = WaveNet(spec)
    model.load_state_dict(last.ema)
    wave = spec.decode(generate(model, {}, streams=1, steps=steps))[:, 0]
    power = np.abs(np.fft.rfft(wave * np.hanning(steps))) ** 2
    expected = round(hertz * steps / RATE)
    peak = int(np.argmax(power))
    assert abs(peak - expected) <= 1
    assert power[peak - 2 : peak + 3].sum() >= 0.9 * power.sum()
