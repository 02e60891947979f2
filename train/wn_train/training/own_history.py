"""What the network goes on with itself, as the end of the past that it hears in training.

    recording     ─────────── context ──────────|══════ counted ══════|
    heard         ─────────────────|~~ its own ~|══════ counted ══════|

A network that only ever heard recordings has not met its own errors, which is what it goes on from
when it generates: a little wrong, it goes further wrong. Here it goes on from the recording for a
while, as it would, and then the recording goes on: what it learns there is to come back. (Bengio et
al., "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks", 2015, mix the two
sample by sample; Ross et al., "A Reduction of Imitation Learning and Structured Prediction to
No-Regret Online Learning", 2011, let the learner act and the teacher say what would be right.)
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
from wn_train.data.chunks import Chunk, collate
from wn_train.network.wavenet import WaveNet
from wn_train.training.distributed import World
from wn_train.training.generate import Generator
from wn_train.training.stopping import Stop

SHORTEST_S, LONGEST_S = 0.004, 0.25
"""Seconds that are its own, in proportion: as often 4 to 8 ms as 125 to 250. Half of the context at
most."""
MOST_CHUNKS = 1024
"""Of a renewal, by all processes together."""
STREAMS = 16
"""Made side by side."""


class OwnHistory:
    """The ends of some chunks' pasts, renewed now and then for the chunks to come."""

    def __init__(
        self,
        spec: ModelSpec,
        utterances: Sequence[Utterance],
        settings: TrainingConfig,
        world: World,
        stop: Stop,
        say: Callable[[str], None],
    ) -> None:
        """utterances: those that chunks are of.

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
        self._made: dict[Chunk, NDArray[Any]] = {}
        self._begun = False

    def is_due(self, step: int) -> bool:
        """Whether it is to be renewed before this step: not early on, when all it makes is noise.

        After a resumption it is, as no checkpoint keeps what was made.
        """
        every = self._settings.own_history_every
        return step >= every and (not self._begun or step % every == 0)

    def renew(self, model: WaveNet, step: int, coming: Sequence[Sequence[Chunk]]) -> None:
        """Make it anew, with the weights that the model has now.

        coming: the batches until the next time; each process makes what it will train on.
        """
        rng = np.random.default_rng((self._settings.seed, step, self._world.rank))
        each = (chunk for batch in coming for chunk in batch[self._world.rank :: self._world.size])
        chosen = [
            chunk
            for chunk in each
            if chunk.context > 1 and rng.random() < self._settings.own_history
        ]
        most = -(-MOST_CHUNKS // self._world.size)
        if len(chosen) > most:
            chosen = [chosen[i] for i in rng.choice(len(chosen), most, replace=False)]
        self._made, self._begun = {}, True
        for group in _groups(chosen, Timing.of(self._spec.conditioning).block):
            if self._stop.asked:
                return
            self._follow(model, group, rng)

    def heard(self, samples: Tensor, batch: Sequence[Chunk]) -> Tensor | None:
        """Windows (B, T) of a batch's chunks, some with a past that ends in the model's own.

        None where none has. A chunk from the start of a file has no past.
        """
        heard = None
        for row, chunk in enumerate(batch):
            made = self._made.get(chunk)
            if made is not None:
                heard = samples.clone() if heard is None else heard
                own = torch.from_numpy(made.astype(samples.numpy().dtype))
                heard[row, chunk.context - len(made) : chunk.context] = own
        return heard

    def _follow(self, model: WaveNet, chosen: list[Chunk], rng: np.random.Generator) -> None:
        """What the model makes of the ends of these chunks' contexts, from what is before them."""
        spec = self._spec
        shortest, longest = chosen[0].context, chosen[-1].context
        seconds = SHORTEST_S * (LONGEST_S / SHORTEST_S) ** rng.random()
        own = min(max(1, round(seconds * spec.sample_rate)), shortest // 2)
        # As many streams whatever is left, so that one library does.
        chunks = chosen + chosen[-1:] * (STREAMS - len(chosen))
        known = shortest - own
        batch = collate(chunks, self._utterances, spec)
        values = [self._utterances[chunk.utterance].recording.values for chunk in chunks]
        conditions = {
            condition.name: [each.get(condition.name) or None for each in values]
            for condition in spec.conditions
        }
        given = batch.samples.numpy()[:, :known].T
        frames = None if batch.frames is None else batch.frames.numpy().swapaxes(0, 1)
        seed = int(rng.integers(2**31))
        made = self._generator.go_on(model, conditions, given, longest - known, seed, frames)
        for stream, chunk in enumerate(chosen):
            self._made[chunk] = made[: chunk.context - known, stream].copy()


def _groups(chunks: Sequence[Chunk], block: int) -> list[list[Chunk]]:
    """STREAMS at most each, whose contexts are less than a conditioner's block apart."""
    groups: list[list[Chunk]] = []
    for chunk in sorted(chunks, key=lambda chunk: chunk.context):
        if (
            not groups
            or len(groups[-1]) == STREAMS
            or chunk.context >= groups[-1][0].context + block
        ):
            groups.append([])
        groups[-1].append(chunk)
    return groups
