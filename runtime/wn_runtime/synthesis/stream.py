"""Open a model and stream audio from it.

model = wn_runtime.open("digits/")
stream = model.stream(seed=1, speaker="theo", digit=7)
wn_runtime.write("seven.wav", stream.read(8000), model.sample_rate)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.engines.engine import Engine, State, open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.heads import mulaw
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights
from wn_runtime.synthesis.sampling import Uniforms

_LONGEST_CALL = 2048
"""Samples asked of an engine at once: Ctrl-C waits for no more."""


def open(
    path: str | Path,
    engine: str | None = None,
    precision: str | None = None,
    batch: int = 1,
    threads: int = 1,
    say: Callable[[str], None] = lambda reason: None,
) -> Model:
    """Open a model directory, or a graph or plan in it, for streams of `batch` voices each.

    See `wn_runtime.engines.engine.open_engine` for how the engine is chosen, and what is raised.
    """

    def another() -> Engine:
        return open_engine(path, engine, precision, batch, threads, say)

    first = another()
    directory, _ = manifests.locate(Path(path))
    manifest = manifests.read(directory)
    table: weights.Weights = {}
    if manifest.spec.conditions:
        manifests.verify(directory, manifest, manifests.WEIGHTS)
        table = weights.load(directory / manifests.WEIGHTS, manifest.spec)
    return Model(manifest.name, Conditioner(manifest.spec, table), first, another)


class Model:
    """A model that is ready to make audio. Its streams are independent, also across threads."""

    def __init__(
        self, name: str, conditioner: Conditioner, first: Engine, another: Callable[[], Engine]
    ) -> None:
        self.name = name
        self.spec = first.spec
        self.sample_rate = first.spec.sample_rate
        """Hz."""
        self.engine, self.precision, self.note = first.name, first.precision, first.note
        """How it runs: see `Engine`."""
        self.batch = first.batch
        """B: the voices that one stream makes side by side."""
        self._conditioner = conditioner
        self._another = another
        self._idle = [first]

    def stream(self, seed: int = 0, temperature: float = 1.0, **conditions: Values) -> Stream:
        """A stream from silence.

        The same seed gives the same audio, whatever the block size. temperature: 1 is the model
        as trained, 0 always takes the likeliest class. conditions: by name, a value for all
        voices or one each. Raises WavestepError for a condition or value that the model lacks.
        """
        return Stream(self, self._conditioner, seed, temperature, conditions)

    def close(self) -> None:
        """Give back what the engines hold. Streams must be closed before."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take_engine(self) -> Engine:
        """An engine of the stream's own: one that a closed stream left, or a new one."""
        try:
            engine = self._idle.pop()
        except IndexError:
            return self._another()
        engine.reset()
        return engine

    def _leave_engine(self, engine: Engine) -> None:
        self._idle.append(engine)


@dataclass(frozen=True)
class Snapshot:
    """All that a stream is, as a value: restored anywhere, the same samples follow."""

    state: State
    position: int
    """Samples made so far by each voice."""
    seed: int
    temperature: float
    conditions: Mapping[str, Values]


class Stream:
    """B voices, continued for as long as they are read."""

    def __init__(
        self,
        model: Model,
        conditioner: Conditioner,
        seed: int,
        temperature: float,
        conditions: Mapping[str, Values],
    ) -> None:
        self._engine: Engine | None = None  # for __del__, should the checks below raise
        self.sample_rate = model.sample_rate
        self._model, self._conditioner = model, conditioner
        self._table = mulaw.decode_table(model.spec.classes)
        self._begin(seed, temperature, conditions)
        self._engine = model._take_engine()

    @property
    def position(self) -> int:
        """Samples made so far by each voice."""
        return self._uniforms.position

    def read(self, samples: int) -> NDArray[np.float32]:
        """The next `samples` of every voice: (samples, B) float32 in [-1, 1]."""
        return self._table[self.read_classes(samples)]

    def read_classes(self, samples: int) -> NDArray[np.int32]:
        """The same before mu-law decoding: (samples, B) classes 0 to A-1."""
        if samples < 0:
            raise WavestepError(f"cannot read {samples} samples; give 0 or more")
        engine = self._open_engine()
        classes = np.empty((samples, engine.batch), np.int32)
        for start in range(0, samples, _LONGEST_CALL):
            block = classes[start : start + _LONGEST_CALL]
            uniforms = self._uniforms.draw(len(block))
            block[:] = engine.generate(self._bias, uniforms, self._temperature)
        return classes

    def blocks(self, seconds: float, block: float = 0.05) -> Iterator[NDArray[np.float32]]:
        """`seconds` of audio (`math.inf`: without end) in pieces of `block` seconds each."""
        if not seconds > 0 or not block > 0:
            raise WavestepError(f"cannot make {seconds:g} s in blocks of {block:g} s; give more")
        size = max(1, round(block * self.sample_rate))
        left = math.inf if math.isinf(seconds) else max(1, round(seconds * self.sample_rate))
        while left > 0:
            yield self.read(int(min(size, left)))
            left -= size

    def snapshot(self) -> Snapshot:
        """A copy of the stream's whole state, which later reads leave alone."""
        state = self._open_engine().snapshot()
        return Snapshot(state, self.position, self._seed, self._temperature, self._conditions)

    def restore(self, snapshot: Snapshot) -> Stream:
        """Go on exactly where `snapshot` was taken, by this or another stream or engine.

        Returns the stream itself. Raises WavestepError when it is another model's.
        """
        engine = self._open_engine()
        snapshot.state.check(engine.spec, engine.batch)
        self._begin(snapshot.seed, snapshot.temperature, snapshot.conditions)
        self._uniforms.seek(snapshot.position)
        engine.restore(snapshot.state)
        return self

    def close(self) -> None:
        """End the stream and leave its engine to the next."""
        if self._engine is not None:
            self._model._leave_engine(self._engine)
            self._engine = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _begin(self, seed: int, temperature: float, conditions: Mapping[str, Values]) -> None:
        if not 0 <= temperature < math.inf:
            raise WavestepError(
                f"temperature is {temperature:g}; it must be 0 (always the likeliest) or more"
            )
        self._bias = self._conditioner.bias(conditions, self._model.batch)
        self._seed, self._temperature, self._conditions = seed, temperature, dict(conditions)
        self._uniforms = Uniforms(seed, self._model.batch)

    def _open_engine(self) -> Engine:
        if self._engine is None:
            raise WavestepError("this stream is closed; open another with model.stream()")
        return self._engine
