"""The training loop: exact resumption, one loss for any number of processes, clean stops."""

import dataclasses
import itertools
import os
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

from tests.train.recordings import RATE, write_corpus
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint
from wn_train.config import Config, DataConfig, ModelConfig, TrainingConfig
from wn_train.data import audio, chunks, corpus
from wn_train.data.audio import Utterance
from wn_train.data.corpus import Recording
from wn_train.network.wavenet import WaveNet
from wn_train.training import likelihood
from wn_train.training.average import Average
from wn_train.training.distributed import World
from wn_train.training.generate import generate
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
    model=ModelConfig(cycle=4, layers=3, residual=8, skip=8, head=8),
    data=DataConfig(chunk_seconds=0.02, condition_dropout=0.3),
    training=PLAN,
)


def prepare(tmp_path):
    found = corpus.read(write_corpus(tmp_path / "data"))
    rate, utterances = audio.load(found, 0, 256, print)
    model = CONFIG.model
    spec = ModelSpec(
        rate, model.all_dilations, residual=8, gate=16, skip=8, head=8, conditions=found.conditions
    )
    return spec, utterances


def run_once(tmp_path, name, spec, utterances, settings=CONFIG, resume=None):
    run = tmp_path / name
    run.mkdir(exist_ok=True)
    said = []
    last = train(spec, settings, utterances, run, HERE, resume, said.append)
    return last, said


def with_plan(**changes):
    return dataclasses.replace(CONFIG, training=dataclasses.replace(PLAN, **changes))


def test_a_resumed_run_is_bit_identical_to_an_uninterrupted_one(tmp_path):
    spec, utterances = prepare(tmp_path)
    whole, whole_said = run_once(tmp_path, "whole", spec, utterances)

    class StopAt5:
        """SIGTERM during step 5."""

        def __init__(self):
            self.calls = 0

        def __call__(self, *args):
            self.calls += 1
            if self.calls == 5:
                os.kill(os.getpid(), signal.SIGTERM)
            return original(*args)

    original = chunks.collate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "collate", StopAt5())
        with pytest.raises(Interrupted, match=r"saved step 5 to .*last\.pt"):
            run_once(tmp_path, "halved", spec, utterances)
    half = checkpoint.load(tmp_path / "halved" / "last.pt")
    assert half.step == 5
    resumed, said = run_once(tmp_path, "halved", spec, utterances, resume=half)
    assert said[-1] == whole_said[-1]
    for name, weight in whole.model.items():
        assert torch.equal(weight, resumed.model[name]), name
        assert torch.equal(whole.ema[name], resumed.ema[name]), name


def test_accumulation_does_not_change_the_loss(tmp_path):
    spec, utterances = prepare(tmp_path)
    settings = dataclasses.replace(CONFIG, data=DataConfig(chunk_seconds=0.02))
    one, _ = run_once(tmp_path, "one", spec, utterances, settings)
    parts = dataclasses.replace(settings, training=dataclasses.replace(PLAN, accumulate=3))
    three, _ = run_once(tmp_path, "three", spec, utterances, parts)
    for name, weight in one.ema.items():
        torch.testing.assert_close(weight, three.ema[name], rtol=1e-3, atol=1e-5)


def test_two_processes_have_the_loss_of_one(tmp_path):
    data = write_corpus(tmp_path / "data")
    file = tmp_path / "c.toml"
    file.write_text(
        "[model]\ncycle = 4\nlayers = 3\nresidual = 8\nskip = 8\nhead = 8\n"
        "[data]\nchunk_seconds = 0.02\n"
        "[training]\nsteps = 6\nbatch_samples = 1500\nwarmup_steps = 2\nvalidate_every = 3\n"
        "sample_every = 0\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = {}
    for processes in (1, 2):
        command = [
            sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}",
            f"--master-port={port}", "-m", "wn_train", str(data),
            "-o", str(tmp_path / f"run{processes}"), "--config", str(file), "--threads", "1",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
        lines = [line for line in done.stderr.splitlines() if line.startswith("step ")]
        assert [line.split(":")[0] for line in lines] == ["step 3", "step 6"]
        said[processes] = [
            float(word) for line in lines for word in line.split() if word.count(".") == 1
        ]
    np.testing.assert_allclose(said[2], said[1], atol=2e-4)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(tmp_path):
    spec, utterances = prepare(tmp_path)
    run_once(tmp_path, "run", spec, utterances, with_plan(steps=4))
    good = (tmp_path / "run" / "last.pt").read_bytes()
    before = checkpoint.load(tmp_path / "run" / "last.pt")
    first = next(iter(before.model))
    before.model[first] = torch.full_like(before.model[first], torch.nan)
    with pytest.raises(WavestepError, match=r"the loss is nan at step 5; .*last\.pt is kept"):
        run_once(tmp_path, "run", spec, utterances, with_plan(steps=8), resume=before)
    assert (tmp_path / "run" / "last.pt").read_bytes() == good


def test_validation_counts_every_real_sample_once(tmp_path):
    spec, utterances = prepare(tmp_path)
    torch.manual_seed(0)
    model = WaveNet(spec)
    bits, count = likelihood.bits_per_sample(model, spec, utterances, HERE.device)
    assert count == sum(len(u.codes) for u in utterances)
    shares = [
        likelihood.bits_per_sample(model, spec, utterances, HERE.device, (r, 2)) for r in (0, 1)
    ]
    assert sum(share[1] for share in shares) == count
    assert abs(sum(share[0] for share in shares) - bits) < 1e-3 * bits


def test_the_learning_rate_warms_up_and_falls_to_its_end():
    plan = TrainingConfig(steps=1000, warmup_steps=100, learning_rate=1.0, final_rate=0.1)
    rates = [learning_rate(step, plan) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0, abs=0.03)
    assert np.argmax(rates) in range(95, 105)
    assert rates[-1] == pytest.approx(0.1)
    assert all(a >= b for a, b in itertools.pairwise(rates[100:]))


def test_the_average_follows_the_weights_and_is_put_back():
    model = torch.nn.Linear(2, 1)
    average = Average(model, decay=0.9)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1)
    for step in range(1, 200):
        average.update(model, step)
    torch.testing.assert_close(average.weights["weight"], start + 1)
    with torch.no_grad():
        model.weight.zero_()
    with average.applied(model):
        torch.testing.assert_close(model.weight.detach(), start + 1)
    assert not model.weight.any()


@pytest.mark.slow
def test_a_model_that_overfits_a_sine_sings_it(tmp_path):
    hertz, steps = 500, 4096
    settings = Config(
        name="sine",
        model=ModelConfig(cycle=32, layers=6, residual=16, skip=32, head=32),
        training=TrainingConfig(
            steps=500, batch_samples=8192, warmup_steps=30, learning_rate=1e-2,
            ema_decay=0.98, validate_every=500, sample_every=0,
        ),
    )  # fmt: skip
    model_config = settings.model
    spec = ModelSpec(RATE, model_config.all_dilations, residual=16, gate=32, skip=32, head=32)
    t = np.arange(RATE)
    codes = audio.mulaw.encode(0.5 * np.sin(2 * np.pi * hertz * t / RATE)).astype(np.uint8)
    utterances = [Utterance(Recording(tmp_path, split, {}), codes) for split in ("train", "valid")]
    last, _ = run_once(tmp_path, "sine", spec, utterances, settings)
    model = WaveNet(spec)
    model.load_state_dict(last.ema)
    wave = generate(model, {}, streams=1, steps=steps)[:, 0]
    power = np.abs(np.fft.rfft(wave * np.hanning(steps))) ** 2
    expected = round(hertz * steps / RATE)
    peak = int(np.argmax(power))
    assert abs(peak - expected) <= 1
    assert power[peak - 2 : peak + 3].sum() >= 0.9 * power.sum()
