"""Where audio goes: WAV and FLAC files, raw PCM, a loudspeaker. Blocks are (n, B) in [-1, 1]."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from wn_runtime.arguments import integer, wrong_type
from wn_runtime.atomic import Part
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.interrupts import Held
from wn_runtime.output.encoders import BY_SUFFIX, Encoder, Raw, pcm16

Block = NDArray[np.float32]
MOST_RATE = 1_000_000
"""Hz; more than any audio file can say."""


class Sink(Protocol):
    """Takes blocks. Leaving it as a context keeps what was made, also after an interruption."""

    def write(self, block: Block) -> None:
        """Append a block, (n, B)."""
        ...

    def close(self) -> None:
        """Finish: what was written is there, whole and valid."""
        ...

    def abort(self) -> None:
        """Give up: nothing is left behind."""
        ...


@contextlib.contextmanager
def finishing(sink: Sink) -> Iterator[Sink]:
    """A sink for a `with` block: aborted on an error, closed at its end.

    Closed, too, at Ctrl-C and SIGTERM and where the reader of a pipe has gone: what was made stays.
    """
    try:
        yield sink
    except (KeyboardInterrupt, BrokenPipeError):
        sink.close()
        raise
    except BaseException:
        sink.abort()
        raise
    else:
        sink.close()


class FileSink:
    """One voice to one file, by suffix; under a temporary name until it is whole.

    Raises WavestepError when the file cannot be made or written. A file that was there before
    stays as it is until `close`.
    """

    def __init__(self, path: str | Path, sample_rate: int, raw: bool = False) -> None:
        self.path = Path(path)
        encoder = Raw if raw else BY_SUFFIX.get(self.path.suffix.lower())
        if encoder is None:
            raise WavestepError(
                unknown("audio suffix", self.path.suffix or self.path.name, BY_SUFFIX)
            )
        sample_rate = integer("sample_rate", sample_rate, 1, MOST_RATE)
        check_writable(self.path)
        self._samples = 0
        self._part: Part | None = None
        self._encoder: Encoder | None = None
        with self._telling():
            # A link is followed, so that the rename replaces the file it leads to, not the link.
            self._part = Part(self.path.resolve())
            self._encoder = encoder(self._part.path, sample_rate)

    def write(self, block: Block) -> None:
        """Append a block, (n, 1)."""
        assert self._encoder is not None
        if self._samples + len(block) > self._encoder.limit:
            self.close()
            raise WavestepError(
                f"{self.path} is full after {self._samples} samples, which were kept; for a "
                "longer recording use .flac"
            )
        with self._telling():
            self._encoder.write(pcm16(block))
        self._samples += len(block)

    def close(self) -> None:
        """Finish the file and give it its name. Without a sample in it there is none."""
        if self._encoder is None or not self._samples:
            self.abort()
            return
        with self._telling():
            encoder, self._encoder = self._encoder, None
            encoder.close()
            assert self._part is not None
            self._part.place()
            self._part = None

    def abort(self) -> None:
        """Leave no trace of it."""
        if self._encoder is not None:
            encoder, self._encoder = self._encoder, None
            with contextlib.suppress(OSError):
                encoder.close()
        if self._part is not None:
            part, self._part = self._part, None
            with contextlib.suppress(OSError):
                part.drop()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """An error of the file system as one line; what was half written goes."""
        try:
            yield
        except OSError as error:
            self.abort()
            raise WavestepError(
                f"{self.path} cannot be written ({error.strerror or error}); nothing was kept"
            ) from error


class Files:
    """A file for every voice."""

    def __init__(self, open_one: Callable[[Path], Sink], paths: Sequence[Path]) -> None:
        self._sinks: list[Sink] = []
        try:
            for path in paths:
                self._sinks.append(open_one(path))
        except WavestepError:
            self.abort()
            raise

    def write(self, block: Block) -> None:
        """Append a block, (n, B): to all files or, where an interruption comes, to none."""
        with Held():
            for voice, sink in enumerate(self._sinks):
                sink.write(block[:, voice : voice + 1])

    def close(self) -> None:
        """Finish every file."""
        for sink in self._sinks:
            sink.close()

    def abort(self) -> None:
        """Leave no trace of any."""
        for sink in self._sinks:
            sink.abort()


class Several:
    """The same audio in several places."""

    def __init__(self, openers: Sequence[Callable[[], Sink]]) -> None:
        """Raises WavestepError where one cannot be opened; then none is left."""
        self._sinks: list[Sink] = []
        try:
            for opener in openers:
                self._sinks.append(opener())
        except BaseException:
            self.abort()
            raise

    def write(self, block: Block) -> None:
        """Append a block, (n, B), everywhere."""
        for sink in self._sinks:
            sink.write(block)

    def close(self) -> None:
        """Finish all of them, whatever becomes of one."""
        with contextlib.ExitStack() as closing:
            for sink in reversed(self._sinks):
                closing.callback(sink.close)

    def abort(self) -> None:
        """Give up all of them."""
        with contextlib.ExitStack() as aborting:
            for sink in reversed(self._sinks):
                aborting.callback(sink.abort)


class PipeSink:
    """Raw 16-bit little-endian PCM to stdout, the B voices interleaved."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def write(self, block: Block) -> None:
        """Append a block and pass it on at once. Raises BrokenPipeError when nobody reads.

        Raises WavestepError where it goes to a disk that is full.
        """
        try:
            self._pipe.write(pcm16(block).tobytes())
            self._pipe.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise WavestepError(f"stdout cannot be written: {error.strerror or error}") from error

    def close(self) -> None:
        """Nothing to finish: every block has gone out."""

    def abort(self) -> None:
        """What has gone out cannot be called back."""


def write(path: str | Path, audio: Block | Iterable[Block], sample_rate: int) -> None:
    """Write one voice to a WAV or FLAC file: samples (n,) or (n, 1), or an iterable of such blocks.

    Raises WavestepError for an unknown suffix, more than one voice, NaN, or a file that cannot be
    written, TypeError for audio that is not of floats; a file that was there before is then left
    alone.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise wrong_type("path", path, "a path")
    blocks = [audio] if isinstance(audio, np.ndarray) else audio
    if isinstance(blocks, (str, bytes)) or not isinstance(blocks, Iterable):
        raise wrong_type("audio", audio, "an array, or an iterable of arrays")
    with finishing(FileSink(path, sample_rate)) as sink:
        for block in blocks:
            sink.write(_one_voice(path, block))


def _one_voice(path: str | os.PathLike[str], block: object) -> Block:
    """A block (n, 1) of one voice."""
    if not isinstance(block, np.ndarray):
        raise wrong_type("audio", block, "an array of floats in [-1, 1]")
    if block.dtype.kind != "f":
        raise TypeError(
            f"audio must be floats in [-1, 1], not {block.dtype}; 16-bit samples: audio / 32768"
        )
    if block.ndim not in (1, 2) or (block.ndim == 2 and block.shape[1] != 1):
        raise WavestepError(
            f"{path} takes one voice, (n,) or (n, 1); the audio is {block.shape}: write audio[:, b]"
        )
    if not np.isfinite(block).all():
        raise WavestepError(f"the audio for {path} holds NaN or infinity")
    return block.reshape(-1, 1)


def check_writable(path: Path) -> None:
    """Raise WavestepError unless a file can be made, or replaced, at `path`."""
    try:
        if not path.parent.is_dir():
            raise WavestepError(f"{path}: there is no directory {path.parent}; make it first")
        there = path.exists()
        if not path.name or (there and not path.is_file()):
            raise WavestepError(f"{path} is not a regular file; give another name")
        # It is replaced by a rename: the folder must take new names, too.
        read_only = not os.access(path.resolve().parent, os.W_OK)
        if read_only or (there and not os.access(path, os.W_OK)):
            raise WavestepError(f"{path} cannot be written: it is read-only; give another place")
    except (OSError, RuntimeError, ValueError) as error:  # too long, links in a circle, a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(f"{path} cannot be written ({reason}); give another name") from error
