"""What the network made itself, as the past that it hears in training.

    recording     ────── context ──────|══════ counted ══════|
    heard         ~~~~ its own sound ~~|══════ counted ══════|

A network that only ever heard recordings has not met its own errors, which is what it goes on from
when it generates: a little wrong, it goes further wrong, whatever its conditions say. Here some
chunks have a past of its own making, of any recording's conditions, and the recording goes on from
there. So it learns to leave such a past, and that the conditions decide and not what it hears.
(Ross et al., "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online
Learning", 2011, collect what a learner does with what a teacher would go on with; Bengio et al.,
"Scheduled Sampling", 2015, mix the two sample by sample.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.native.compiler import find_compiler
from wn_runtime.engines.native.zig import how_to_get_one
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train.config import TrainingConfig
from wn_train.data.audio import Utterance
from wn_train.data.chunks import Chunk
from wn_train.network.wavenet import WaveNet
from wn_train.training.distributed import World
from wn_train.training.generate import Generator
from wn_train.training.stopping import Stop

RECORDINGS = 64
"""Recordings whose conditions are followed, by all processes together."""
SECONDS = 4.0
"""Of each, at most."""
STREAMS = 16
"""Made side by side."""


class OwnHistory:
    """Sound of the model's own, renewed now and then, and chunks that begin with some of it."""

    def __init__(
        self,
        spec: ModelSpec,
        utterances: Sequence[Utterance],
        settings: TrainingConfig,
        world: World,
        stop: Stop,
        say: Callable[[str], None],
    ) -> None:
        """utterances: those trained on. A process makes its share of what all make.

        stop: who asks for it waits for no more than a few streams. Raises WavestepError without a C
        compiler: PyTorch would take hours for what the native engine makes in a minute.
        """
        try:
            find_compiler()
        except EngineUnavailable as error:
            raise WavestepError(
                "training.own_history is made by the native engine, and no C compiler is here; "
                f"{how_to_get_one()}, or set it to 0"
            ) from error
        self._spec, self._utterances, self._settings = spec, utterances, settings
        self._world, self._stop, self._generator = world, stop, Generator(say)
        self._most = max(1, int(SECONDS * spec.sample_rate))
        self._made: list[NDArray[Any]] = []

    def is_due(self, step: int) -> bool:
        """Whether it is to be renewed before this step: not early on, when all it makes is noise.

        After a resumption it is, as no checkpoint keeps what was made.
        """
        every = self._settings.own_history_every
        return step >= every and (not self._made or step % every == 0)

    def renew(self, model: WaveNet, step: int) -> None:
        """Make it anew, with the weights that the model has now."""
        rng = np.random.default_rng((self._settings.seed, step, self._world.rank))
        count = -(-RECORDINGS // self._world.size)
        chosen = [self._utterances[i] for i in rng.integers(len(self._utterances), size=count)]
        chosen.sort(key=lambda utterance: len(utterance.samples))  # side by side: of like length
        self._made = []
        for start in range(0, count, STREAMS):
            if self._stop.asked:
                return
            followed = chosen[start : start + STREAMS]
            self._made += self._follow(model, followed, int(rng.integers(2**31)))

    def heard(
        self, samples: Tensor, batch: Sequence[Chunk], rng: np.random.Generator
    ) -> Tensor | None:
        """Windows (B, T) of a batch's chunks, some with a past of the model's own.

        None where none has. A chunk from the start of a file has no past.
        """
        heard = None
        for row, chunk in enumerate(batch):
            if not self._made or not chunk.context or rng.random() >= self._settings.own_history:
                continue
            made = self._made[rng.integers(len(self._made))]
            end = int(rng.integers(1, len(made) + 1))
            past = made[max(0, end - chunk.context) : end].astype(samples.numpy().dtype)
            heard = samples.clone() if heard is None else heard
            heard[row, : chunk.context] = self._spec.output.silence
            heard[row, chunk.context - len(past) : chunk.context] = torch.from_numpy(past)
        return heard

    def _follow(self, model: WaveNet, chosen: Sequence[Utterance], seed: int) -> list[NDArray[Any]]:
        """As many samples as each recording has, with its conditions and frames."""
        lengths = [min(len(utterance.samples), self._most) for utterance in chosen]
        timing, steps = Timing.of(self._spec.conditioning), max(lengths)
        conditions = {
            condition.name: [
                utterance.recording.values.get(condition.name) or None for utterance in chosen
            ]
            for condition in self._spec.conditions
        }
        frames = None
        if timing.frame_channels:
            frames = np.tile(model.padding(), (timing.frames(steps), len(chosen), 1))
            for stream, utterance in enumerate(chosen):
                assert utterance.frames is not None
                given = utterance.frames[: len(frames)]
                frames[: len(given), stream] = given
        made = self._generator.generate(model, conditions, len(chosen), steps, seed, frames)
        return [made[:length, stream].copy() for stream, length in enumerate(lengths)]
