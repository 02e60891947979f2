"""Where wn-run's audio goes: files, raw PCM, the loudspeaker, or several of them at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from wn_runtime.commands import replaceable, streams
from wn_runtime.errors import WavestepError
from wn_runtime.output.loudspeaker import Speaker
from wn_runtime.output.sinks import Files, FileSink, PipeSink, Several, Sink

STDOUT = "stdout"


class Destination:
    """What `-o`, `--raw` and `--play` ask for. Nothing is opened before `open`."""

    def __init__(self, output: Path | None, raw: Path | None, play: bool, model: str) -> None:
        """model: whose name the file has where nothing is asked for.

        Raises WavestepError for a place that is asked for twice.
        """
        if output is None and raw is None and not play:
            output = Path(f"{model}.wav")
        if output is not None and raw is not None and (output == raw or _same(output, raw)):
            raise WavestepError(f"-o and --raw are both {output}; give each a place of its own")
        self._output, self._raw, self._play = output, raw, play
        self.speaker: Speaker | None = None
        """The loudspeaker, once it is open."""

    @property
    def takes_stdout(self) -> bool:
        """Whether nothing but audio may go to stdout."""
        return "-" in (str(self._output), str(self._raw))

    @property
    def is_file(self) -> bool:
        """Whether a file is left of it."""
        return any(path is not None and str(path) != "-" for path in (self._output, self._raw))

    def open(self, rate: int, voices: int) -> tuple[Sink, str]:
        """The sink, and the words for where it leads. Raises WavestepError."""
        openers: list[Callable[[], Sink]] = []
        words = []
        for path, raw in ((self._output, False), (self._raw, True)):
            if path is not None:
                opener, name = _to_path(path, raw, rate, voices)
                openers.append(opener)
                words.append(name)
        if self._play:
            openers.append(lambda: self._loudspeaker(rate, voices))
            words.append("loudspeaker")
        return Several(openers), " and ".join(words)

    def _loudspeaker(self, rate: int, voices: int) -> Speaker:
        self.speaker = Speaker(rate, voices)
        return self.speaker


def _to_path(path: Path, raw: bool, rate: int, voices: int) -> tuple[Callable[[], Sink], str]:
    if str(path) == "-":
        if 1 in streams.CLOSED:
            raise WavestepError("stdout is closed; give a file with -o, or a reader")
        return lambda: PipeSink(sys.stdout.buffer), STDOUT
    paths = [path]
    if voices > 1:
        paths = [path.with_name(f"{path.stem}-{voice}{path.suffix}") for voice in range(voices)]
    for each in paths:
        replaceable.check_no_model_file(each)
        if raw:
            replaceable.check_raw(each)
    name = str(paths[0]) if voices == 1 else f"{paths[0]} … {paths[-1].name}"
    return lambda: Files(lambda one: FileSink(one, rate, raw=raw), paths), name


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False
