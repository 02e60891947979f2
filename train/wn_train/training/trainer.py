"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel

from wn_runtime.commands.bar import Bar
from wn_runtime.errors import WavestepError
from wn_runtime.heads.bits import in_words, more_for_16
from wn_runtime.model import strict
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint
from wn_train.checkpoint import Checkpoint, Speech
from wn_train.config import Config, TrainingConfig
from wn_train.data import chunks
from wn_train.data.audio import Utterance
from wn_train.data.clips import choose_clips
from wn_train.network.wavenet import WaveNet
from wn_train.run_files import BEST, LAST
from wn_train.training import kept, likelihood, memory, optimizer, warm_start
from wn_train.training.average import Average
from wn_train.training.distributed import World
from wn_train.training.likelihood import Predictor, bits_per_sample, nll
from wn_train.training.own_history import OwnHistory
from wn_train.training.pace import Pace
from wn_train.training.precision import in_bf16
from wn_train.training.stopping import Stop
from wn_train.training.tracking import Tracker


class Interrupted(Exception):
    """Somebody asked to stop: the run was saved and can go on with --resume."""


def train(
    spec: ModelSpec,
    config: Config,
    utterances: list[Utterance],
    run: Path,
    world: World,
    resume: Checkpoint | None,
    say: Callable[[str], None],
    stop: Stop | None = None,
    speech: Speech | None = None,
) -> Checkpoint:
    """Train until `config.training.steps`; returns the last checkpoint, also in `run`/last.pt.

    Raises WavestepError when it does not fit into memory, and when a loss or a weight is not finite
    (the last good checkpoint stays); Interrupted where `stop` was asked for and the run is saved.
    """
    settings, data, rate = config.training, config.data, spec.sample_rate
    stop = stop or Stop()
    training = [u for u in utterances if u.recording.split == "train"]
    validation = [u for u in utterances if u.recording.split == "valid"]
    pieces = chunks.cut(
        training,
        spec,
        chunk=max(1, int(data.chunk_seconds * rate)),
        tail=int(data.tail_seconds * rate),
        long_tail=int(data.long_tail_seconds * rate),
    )
    memory.check(
        spec,
        chunks.epoch(pieces, settings.batch_samples, settings.seed, 0),
        likelihood.batches(spec, validation),
        world.size * settings.accumulate,
        world.device,
        2 if in_bf16(settings.precision, world.device) else 4,
    )

    torch.manual_seed(settings.seed)
    model = WaveNet(spec, config.model.weight_norm)
    if resume is not None:
        model.load_state_dict(resume.model)
    else:
        if framed := [u.frames for u in training if u.frames is not None]:
            model.fit(framed)
        if settings.init:
            say(warm_start.begin(model, Path(settings.init)))
    model.to(world.device)
    average = Average(model, settings.ema_decay)
    adam = optimizer.make(model, settings)
    step, position, best = 0, (0, 0), math.inf
    if resume is not None:
        average.weights = {k: v.to(world.device) for k, v in resume.ema.items()}
        optimizer.resume(adam, resume.training["optimizer"])
        step, position = resume.step, tuple(resume.training["position"])
        best = resume.training["best"]
    predictor = _predictor(model, settings, world)
    clips = choose_clips(validation, spec)
    own = OwnHistory(spec, training, settings, world, stop, say) if settings.own_history else None
    tracker = (
        Tracker(run, spec, settings, config.features, validation, say) if world.first else None
    )
    bits = None if resume is None else resume.valid_bits
    more = more_for_16(spec.output, (utterance.samples for utterance in validation))

    def state() -> Checkpoint:
        return Checkpoint(
            name=config.name,
            spec=spec,
            weight_norm=config.model.weight_norm,
            model=model.state_dict(),
            ema=average.weights,
            step=step,
            valid_bits=bits,
            valid_bits_16=None if bits is None else bits + more,
            attribution=config.attribution,
            config=strict.plain(config),
            clips=clips,
            speech=speech,
            training={
                "optimizer": adam.state_dict(),
                "position": list(position),
                "best": best,
            },
        )

    def save(*names: str) -> None:
        if not all(bool(torch.isfinite(weight).all()) for weight in model.parameters()):
            raise not_finite("a weight is not finite")
        if world.first:
            for name in names:
                checkpoint.save(run / name, state())
            if not (run / kept.CONFIG).exists():
                kept.write(run, config, say)

    def not_finite(what: str) -> WavestepError:
        kept = f"{run / LAST} is kept" if (run / LAST).exists() else "nothing was saved yet"
        return WavestepError(
            f"{what} at step {step}; {kept} from before it: lower training.learning_rate or look "
            "at the data, then go on or begin again"
        )

    if world.any(stop.asked):
        raise stop.interruption
    if world.first and resume is not None:
        kept.write(run, config, say)
    pace = Pace()
    with (
        Bar(
            total=settings.steps,
            initial=step,
            unit="step",
            leave=True,
            disable=None if world.first else True,
        ) as bar,
        contextlib.closing(tracker) if tracker else contextlib.nullcontext(),
    ):
        for after, batch in chunks.positions(
            pieces, settings.batch_samples, settings.seed, position
        ):
            if step >= settings.steps:
                break
            for group in adam.param_groups:
                group["lr"] = learning_rate(step, settings)
            if own is not None and own.is_due(step):
                coming = chunks.positions(pieces, settings.batch_samples, settings.seed, position)
                batches = [b for _, b in itertools.islice(coming, settings.own_history_every)]
                with bar.paused(), pace.paused(), average.applied(model):
                    own.renew(model, step, batches)
            loss, norm = _step(predictor, adam, batch, training, spec, config, world, step, own)
            step, position = step + 1, after
            pace.step(sum(chunk.counted for chunk in batch))
            if not math.isfinite(loss):
                raise not_finite(f"the loss is {loss}")
            average.update(model, step)
            bar.update()
            valid, fast = "-" if bits is None else f"{bits:.3f}", f"{pace.samples_per_second:,.0f}"
            bar.set_postfix({"bits": f"{loss:.3f}", "valid": valid, "samples/s": fast})
            if tracker:
                tracker.step(step, loss, norm, learning_rate(step, settings), position[0], pace)
            with bar.paused(), pace.paused():  # this is no training
                if step % settings.validate_every == 0 or step == settings.steps:
                    with average.applied(model):
                        share = bits_per_sample(
                            model, spec, validation, world.device, (world.rank, world.size)
                        )
                    total, count = world.sum(*share)
                    bits = total / count
                    if not math.isfinite(bits):
                        raise not_finite(f"the loss on valid is {bits}")
                    say(f"step {step}: {in_words(bits, more)} on valid, {loss:.4f} in training")
                    names = [LAST] if bits >= best else [BEST, LAST]
                    best = min(best, bits)
                    save(*names)
                    if tracker:
                        tracker.validation(step, bits, bits + more)
                if tracker and settings.sample_every and step % settings.sample_every == 0:
                    with average.applied(model):
                        tracker.samples(step, model)
            if world.any(stop.asked):
                save(LAST)
                raise Interrupted(f"saved step {step} to {run / LAST}")
    return state()


def learning_rate(step: int, settings: TrainingConfig) -> float:
    """Linear warm-up, then half a cosine down to `final_rate` of the peak."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup))
    done = min(1.0, step / settings.steps)
    cosine = settings.final_rate + (1 - settings.final_rate) * (1 + math.cos(math.pi * done)) / 2
    return settings.learning_rate * warm * cosine


def _step(
    predictor: Predictor,
    adam: torch.optim.Optimizer,
    batch: list[chunks.Chunk],
    utterances: list[Utterance],
    spec: ModelSpec,
    config: Config,
    world: World,
    step: int,
    own: OwnHistory | None,
) -> tuple[float, float]:
    """One optimiser step on a batch that all processes share: (bits per sample, gradient norm)."""
    settings = config.training
    counted = sum(chunk.counted for chunk in batch)
    shares = world.size * settings.accumulate
    bf16 = in_bf16(settings.precision, world.device)
    autocast = torch.autocast(world.device.type, torch.bfloat16, enabled=bf16)
    total = 0.0
    adam.zero_grad()
    for part in range(settings.accumulate):
        # The last chunk again, uncounted, where a small batch leaves this process without any.
        share = batch[world.rank + part * world.size :: shares]
        samples = chunks.collate(share or batch[-1:], utterances, spec)
        if not share:
            samples.counts.zero_()
        rng = np.random.default_rng((settings.seed, step, world.rank, part))
        if config.data.condition_dropout:
            dropped = chunks.drop_conditions(samples.conditions, config.data.condition_dropout, rng)
            samples = dataclasses.replace(samples, conditions=dropped)
        if own is not None and share:
            heard = own.heard(samples.samples, share)
            samples = dataclasses.replace(samples, heard=heard)
        last = part == settings.accumulate - 1
        with _without_sync(predictor, last), autocast:
            loss = nll(predictor, spec.output, samples.to(world.device))
            # DDP averages over the processes; the loss is the mean over the whole batch.
            torch.autograd.backward(loss * (world.size / counted))
        total += float(loss.detach())
    parameters = [p for group in adam.param_groups for p in group["params"]]
    norm = torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
    adam.step()
    return world.sum(total)[0] / counted / math.log(2), float(norm)


def _predictor(model: WaveNet, settings: TrainingConfig, world: World) -> Predictor:
    predictor: Predictor = model
    if world.size > 1:
        predictor = DistributedDataParallel(model)
    if settings.compile:
        compiled: Predictor = torch.compile(predictor, dynamic=True)
        predictor = compiled
    return predictor


def _without_sync(predictor: Predictor, last: bool) -> contextlib.AbstractContextManager[None]:
    """Gradients of all but the last part of an accumulated step stay in their process."""
    if isinstance(predictor, DistributedDataParallel) and not last:
        context: contextlib.AbstractContextManager[None] = predictor.no_sync()
        return context
    return contextlib.nullcontext()
