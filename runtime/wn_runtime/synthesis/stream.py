"""Voices, continued for as long as they are read; each is a slot of its own."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import integer, real, wrong_type
from wn_runtime.conditioning.conditioner import Conditioner, Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.engine import Engine, Temperature
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.interrupts import Held
from wn_runtime.model import layout as layouts
from wn_runtime.model import state as states
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis import uniforms
from wn_runtime.synthesis.blocks import Blocks
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_runtime.synthesis.pool import EnginePool
from wn_runtime.synthesis.slots import temperatures_of, uniform_streams
from wn_runtime.synthesis.snapshot import Snapshot, Voice, voices_of
from wn_runtime.synthesis.uniforms import UniformStream

FIRST_CALL, LONGEST_CALL = 32, 2048
"""Samples asked of an engine at once, the first time and at most."""
LONG_S = 0.05
"""Seconds that a call should not take: Ctrl-C waits for it."""
LONGEST_S, LONGEST_BLOCK_S = 10**9, 3600
"""Seconds of sound that can be asked for (32 years), and of a block of it."""
MOST_SAMPLES = 2**31
"""Of one `read`."""


class Stream:
    """B voices side by side: one engine, and for each voice a seed, a temperature, conditions."""

    def __init__(
        self, conditioner: Conditioner, spec: ModelSpec, pool: EnginePool, temperature: float = 1.0
    ) -> None:
        """temperature: what voices have that are given none."""
        self._engine: Engine | None = None  # for __del__, should the next line raise
        self._pool = pool
        self._engine = pool.take()
        self.batch = self._engine.batch
        """B."""
        self.sample_rate = spec.sample_rate
        """Hz."""
        self._spec, self._head = spec, spec.output
        self._blocks = ConditionedBlocks(conditioner, spec, self.batch)
        self._uniforms = [UniformStream(0, number) for number in range(self.batch)]
        self._usual = temperature
        self._temperatures = [temperature] * self.batch
        self._filter = spec.postprocess.start(self.batch)
        """Its memory, (B,)."""
        self._call = FIRST_CALL
        self._broken = False
        """Whether the engine failed: only a reset or a restore makes it whole."""

    @property
    def position(self) -> int:
        """Samples made so far by the voice that has made the most."""
        return max(each.position for each in self._uniforms) // self._head.uniforms

    @property
    def available(self) -> int | None:
        """Samples that can be read with the frames pushed so far; None: the model takes none."""
        self._open_engine(mended=True)
        return self._blocks.available

    def read(self, samples: int) -> NDArray[np.float32]:
        """The next `samples` of every voice: (samples, B) float32 in [-1, 1]."""
        return self._read(samples)[1]

    def read_samples(self, samples: int) -> Samples:
        """The same before decoding: (samples, B) of the head's own type, classes for a softmax.

        Raises WavestepError where frames are missing for so many. An interruption comes between
        two calls of the engine: what was made before it is past, the stream goes on after it.
        """
        return self._read(samples)[0]

    def _read(self, samples: int) -> tuple[Samples, NDArray[np.float32]]:
        """The samples, and what they sound like."""
        samples = integer("samples", samples, 0, MOST_SAMPLES)
        engine, head = self._open_engine(), self._head
        made = np.empty((samples, self.batch), head.sample_dtype)
        audio = np.empty((samples, self.batch), np.float32)
        done = 0
        while done < samples:
            began = time.perf_counter()
            with Held():  # engine, randomness and conditioning move on together
                bias, count = self._blocks.next(min(samples - done, self._call), engine.mixes)
                drawn = uniforms.draw(self._uniforms, count, head.uniforms)
                try:
                    block = engine.generate(bias, drawn, self._temperature())
                except BaseException:
                    self._broken = True  # how far the engine came nobody knows
                    raise
                self._blocks.advance(block)
                heard, self._filter = self._spec.postprocess.apply(head.decode(block), self._filter)
            self._call = _next_call(count, self._call, time.perf_counter() - began)
            made[done : done + count], audio[done : done + count] = block, heard
            done += count
        return made, audio

    def blocks(self, seconds: float, block: float = 0.05) -> Blocks:
        """`seconds` of audio (`math.inf`: without end) in pieces of `block` seconds each.

        For `for` and, each made in a thread, for `async for`.

        >>> [len(block) for block in model.stream().blocks(0.12)]
        [400, 400, 160]
        """
        seconds, block = check_seconds(seconds), real("block", block)
        if not 0 < block <= LONGEST_BLOCK_S:
            raise WavestepError(
                f"block is {block:g}; it must be more than 0 and at most {LONGEST_BLOCK_S} seconds"
            )
        samples = math.inf if math.isinf(seconds) else max(1, round(seconds * self.sample_rate))
        return Blocks(self.read, samples, max(1, round(block * self.sample_rate)))

    def push(self, frames: Frames, last: bool = False) -> None:
        """Append frames (F, C), or (F, B, C) for several voices, that condition what comes next.

        Frame i of a stream is of its samples i·hop … (i+1)·hop - 1. last: none follow; beyond them
        the model sees what training showed it beyond a clip's end, the mean. Raises WavestepError
        for frames of another width or dtype, for NaN, and after the last; TypeError for what is no
        array of numbers. Nothing changes then.
        """
        self._open_engine()
        self._blocks.push(frames, last)

    def reset(
        self,
        slots: Sequence[int] | None = None,
        seed: int | Sequence[int] = 0,
        temperature: Temperature | None = None,
        **conditions: Values,
    ) -> Stream:
        """Begin all voices anew, or those in the slots named, from silence; returns the stream.

        The arguments are those of `Model.stream`, for these slots. Raises WavestepError as that
        does, and for single slots inside a block of a conditioner that has blocks; nothing changes
        then.
        """
        return self.begin(slots, seed, temperature, conditions)

    def begin(
        self,
        slots: Sequence[int] | None,
        seed: int | Sequence[int],
        temperature: Temperature | None,
        conditions: Mapping[str, Values],
    ) -> Stream:
        """`reset` with the conditions as a mapping."""
        engine = self._open_engine(mended=slots is None)
        chosen = states.check_slots(slots, self.batch)
        temperatures = temperatures_of(
            self._usual if temperature is None else temperature, len(chosen)
        )
        randomness = uniform_streams(seed, chosen)
        with Held():
            self._blocks.reset(None if slots is None else chosen, conditions)
            engine.reset(slots)
            self._filter = self._filter.copy()
            self._filter[chosen] = 0
            for slot, drawn, degree in zip(chosen, randomness, temperatures, strict=True):
                self._uniforms[slot], self._temperatures[slot] = drawn, degree
            self._broken = False
        return self

    def snapshot(self, slots: Sequence[int] | None = None) -> Snapshot:
        """A copy of all that the voices are, or those in the slots named.

        >>> kept = stream.snapshot()
        >>> kept.save("kept.snapshot")
        >>> again = model.stream().restore(wn.Snapshot.load("kept.snapshot"))
        >>> bool((again.read(100) == stream.read(100)).all())
        True
        """
        engine = self._open_engine()
        chosen = states.check_slots(slots, self.batch)
        each = self._head.uniforms
        voices = tuple(
            Voice(u.seed, u.stream, self._temperatures[slot], u.position // each)
            for slot in chosen
            for u in [self._uniforms[slot]]
        )
        network = engine.snapshot(None if slots is None else chosen)
        return self._blocks.snapshot(chosen, voices, network, self._filter[chosen])

    def restore(self, snapshot: Snapshot, slots: Sequence[int] | None = None) -> Stream:
        """Go on exactly where `snapshot` was taken, by this or another stream or engine.

        slots: where its voices go; all by default. Returns the stream itself. Raises WavestepError
        where it is another model's, or of another number of voices; nothing changes then.
        """
        if not isinstance(snapshot, Snapshot):
            raise wrong_type("snapshot", snapshot, "what Stream.snapshot gave")
        engine = self._open_engine(mended=slots is None)
        chosen = states.check_slots(slots, self.batch)
        voices = voices_of(snapshot)
        if len(voices) != len(chosen):
            raise WavestepError(f"the snapshot holds {len(voices)} voices for {len(chosen)} slots")
        network = layouts.check(snapshot.network, self._spec, len(chosen))
        each = self._head.uniforms
        randomness = [
            UniformStream(voice.seed, voice.number, voice.position * each) for voice in voices
        ]
        temperatures = temperatures_of([voice.temperature for voice in voices], len(chosen))
        with Held():
            self._blocks.restore(None if slots is None else chosen, snapshot)
            engine.restore(network, slots)
            self._filter = self._filter.copy()
            self._filter[chosen] = snapshot.postprocess
            for slot, drawn, degree in zip(chosen, randomness, temperatures, strict=True):
                self._uniforms[slot], self._temperatures[slot] = drawn, degree
            self._broken = False
        return self

    def close(self) -> None:
        """End the stream and leave its engine to the next."""
        if self._engine is not None:
            self._pool.give_back(self._engine)
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

    def __repr__(self) -> str:
        voices = "1 voice" if self.batch == 1 else f"{self.batch} voices"
        engine = self._engine
        how = "closed" if engine is None else f"{engine.name} {engine.precision}"
        return f"<Stream of {voices}, {self.position} samples at {self.sample_rate} Hz, {how}>"

    def _temperature(self) -> Temperature:
        first = self._temperatures[0]
        alike = all(each == first for each in self._temperatures)
        return first if alike else self._temperatures

    def _open_engine(self, mended: bool = False) -> Engine:
        if self._engine is None:
            raise WavestepError("this stream is closed; open another with model.stream()")
        if self._broken and not mended:
            raise WavestepError("this stream's engine failed; begin it anew with reset()")
        return self._engine


def check_seconds(seconds: float) -> float:
    """The number, where so much audio can be asked for.

    Raises WavestepError where not, TypeError for what is no number.
    """
    found = real("seconds", seconds)
    if not 0 < found <= LONGEST_S and seconds != math.inf:
        raise WavestepError(
            f"seconds is {found:g}; it must be more than 0 and at most {LONGEST_S}, or inf"
        )
    return found


def _next_call(count: int, call: int, took: float) -> int:
    """How many samples to ask for next: twice as many, or half where that takes long."""
    if took > LONG_S:
        return max(1, call // 2)
    return min(LONGEST_CALL, 2 * call) if count == call and took < LONG_S / 2 else call
