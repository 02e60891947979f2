"""metadata.csv of a folder of frames."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wn_runtime.errors import WavestepError
from wn_train.data.corpus import FRAMES, GAIN, Recording


@dataclass(frozen=True)
class Row:
    """A line of it."""

    audio: Path
    recording: Recording
    """Which says split and conditions."""
    frames: str
    """Within the folder."""
    gain: float
    """dB."""


def written(made: Path, output: Path, rows: Sequence[Row]) -> bytes:
    """The table of a folder that is in the making at `made` and will be `output`.

    Paths are relative, so that both folders can be moved together. Raises WavestepError for a path
    that is no UTF-8, which no such file can name.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    columns = [FRAMES, GAIN] if any(row.gain for row in rows) else [FRAMES]
    table.writerow(["file", "split", *rows[0].recording.values, *columns])
    here = os.path.realpath(output)
    for row in rows:
        if row.audio.is_relative_to(made):
            audio = str(row.audio.relative_to(made))
        else:
            audio = os.path.relpath(os.path.realpath(row.audio), here)
        more = [row.frames, f"{row.gain:g}"][: len(columns)]
        table.writerow([audio, row.recording.split, *row.recording.values.values(), *more])
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError as error:
        raise WavestepError(
            f"a recording's path is not UTF-8 ({error.object[error.start - 9 : error.end]!r}); "
            "rename it"
        ) from error
