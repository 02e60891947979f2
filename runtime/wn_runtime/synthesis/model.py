"""Open a model and stream audio from it.

model = wn_runtime.open("digits/")
stream = model.say("seven", speaker="theo", seed=1)
wn_runtime.write("seven.wav", stream.read(stream.available), model.sample_rate)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from wn_runtime.arguments import integer, wrong_type
from wn_runtime.conditioning.conditioner import Values
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.choice import open_in
from wn_runtime.engines.engine import Engine, Temperature
from wn_runtime.errors import WavestepError
from wn_runtime.model.package import ModelPackage, open_package
from wn_runtime.speech import dictionary
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.synthesis.pool import EnginePool
from wn_runtime.synthesis.stream import Stream

_MOST_BYTES = 2**28
"""Of the frames of a text for all voices of a batch."""


def open(
    path: str | Path,
    engine: str | None = None,
    precision: str | None = None,
    batch: int = 1,
    threads: int | None = None,
    say: Callable[[str], None] = lambda _reason: None,
    max_streams: int | None = None,
) -> Model:
    """Open a model directory, or a graph or plan in it, for streams of `batch` voices each.

    threads: of the CPU, for each stream; None: for the first as many as are fastest here, one for
    others beside it. max_streams: how many may be open at a time; each has an engine of its own,
    which costs the memory of its voices' state. See `wn_runtime.engines.choice.open_engine` for how
    the engine is chosen, and what is raised.

    >>> model = wn.open("voice", engine="onnx")
    >>> model
    <Model 'voice': 3 layers, 0.00 M parameters, 8000 Hz, onnx fp32, 1 thread>
    """
    if max_streams is not None:
        max_streams = integer("max_streams", max_streams, 1)
    package, artifact = open_package(path)
    first = open_in(package, artifact, engine, precision, batch, threads, say)

    def another() -> Engine:
        return open_in(package, artifact, first.name, first.precision, batch, threads or 1)

    return Model(package, EnginePool(first, another, max_streams), first)


def with_words(front_end: FrontEnd | None, path: Path | None) -> FrontEnd | None:
    """A front end that knows the words of a dictionary, too. Raises WavestepError."""
    if front_end is None or path is None:
        return front_end
    return front_end.with_words(dictionary.read(path), str(path))


def spoken(
    front_end: FrontEnd | None,
    text: str,
    rate: float,
    conditions: Mapping[str, Values],
    voices: int,
) -> Frames:
    """The frames (F, B, C) of a text for voices side by side, as long as the slowest speaks.

    Raises WavestepError where there is no front end, or no speaker is given to one of several,
    TypeError for a text that is no string.
    """
    if front_end is None:
        raise WavestepError(
            "this model does not speak; export one that was trained with a table [speech]"
        )
    if not isinstance(text, str):
        raise wrong_type("text", text, "a string")
    who: Any = conditions.get(front_end.spec.speaker) if front_end.spec.speaker else None
    if isinstance(who, Sequence | np.ndarray) and not isinstance(who, str | bytes) and len(who):
        each = [front_end.frames(text, speaker, rate) for speaker in who]
    else:
        each = [front_end.frames(text, who, rate)] * voices
    longest = max(map(len, each))
    shape = (longest, len(each), each[0].shape[1])
    if math.prod(shape) * each[0].itemsize > _MOST_BYTES:
        raise WavestepError(f"this text is too long for {voices} voices at a time; give less of it")
    joined = np.empty(shape, np.float32)
    for voice, frames in enumerate(each):
        joined[: len(frames), voice] = frames
        joined[len(frames) :, voice] = frames[-1]  # silence
    return joined


class Model:
    """A model that is ready to make audio. Its streams are independent, also across threads."""

    def __init__(self, package: ModelPackage, pool: EnginePool, engine: Engine) -> None:
        self.name = package.manifest.name
        self.spec = package.spec
        self.sample_rate = package.spec.sample_rate
        """Hz."""
        self.engine, self.precision, self.note = engine.name, engine.precision, engine.note
        """How it runs: see `Engine`."""
        self.batch = engine.batch
        """B: the voices that one stream makes side by side."""
        self.temperature = package.manifest.temperature
        """What a stream takes that is given none."""
        self.front_end = package.front_end
        """From a text to frames; None for a model that does not speak."""
        self._conditioner, self._pool = package.conditioner, pool

    def stream(
        self,
        seed: int | Sequence[int] = 0,
        temperature: Temperature | None = None,
        frames: Frames | None = None,
        **conditions: Values,
    ) -> Stream:
        """A stream from silence.

        The same seed gives the same audio, whatever the block size. seed: voice b of one seed is
        its b-th stream; with a seed a voice, each is as if it were alone. temperature: 1 is the
        model as trained, 0 always takes the likeliest sample; one, or one a voice; None: the
        model's own. frames: the
        first of a model that takes frames, see `Stream.push`. conditions: by name, a value for all
        voices or one each; tags are `"piano+slow"` or a set, `{"piano", "slow"}`. Raises
        WavestepError for a condition or value that the model lacks, and where max_streams are open.

        >>> stream = model.stream(seed=1, speaker="bob", mood={"calm", "loud"})
        >>> stream.read(400).shape
        (400, 1)
        """
        return self.begin(conditions, seed, temperature, frames)

    def begin(
        self,
        conditions: Mapping[str, Values],
        seed: int | Sequence[int] = 0,
        temperature: Temperature | None = None,
        frames: Frames | None = None,
    ) -> Stream:
        """`stream` with the conditions as a mapping."""
        if not isinstance(conditions, Mapping):
            raise wrong_type("conditions", conditions, "a mapping of names to values")
        stream = Stream(self._conditioner, self.spec, self._pool, self.temperature)
        try:
            stream.begin(None, seed, temperature, conditions)
            if frames is not None:
                stream.push(frames)
        except BaseException:
            stream.close()
            raise
        return stream

    def say(
        self,
        text: str,
        seed: int | Sequence[int] = 0,
        temperature: Temperature | None = None,
        rate: float = 1.0,
        **conditions: Values,
    ) -> Stream:
        """A stream that says a text; `read(available)`, or `blocks()`, is all of it.

        rate: 2 is twice as fast. The other arguments are those of `stream`; voices of a batch whose
        speech is shorter end in silence. Raises WavestepError for a model that does not speak,
        for words that it does not know, and as `stream` does.
        """
        frames = spoken(self.front_end, text, rate, conditions, self.batch)
        stream = self.begin(conditions, seed, temperature)
        stream.push(frames, last=True)
        return stream

    def __repr__(self) -> str:
        spec = self.spec
        return (
            f"<Model {self.name!r}: {spec.layers} layers, {spec.parameters / 1e6:.2f} M "
            f"parameters, {spec.sample_rate} Hz, {self.engine} {self.precision}, {self.note}>"
        )

    def close(self) -> None:
        """Give back what the engines hold; no stream can be opened then. Close streams before."""
        self._pool.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
