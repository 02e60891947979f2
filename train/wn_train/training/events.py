"""TensorBoard's event file, written in the step that has something to say.

torch's SummaryWriter writes from a thread of its own, which prints a traceback on a full disk.
"""

from __future__ import annotations

import contextlib
import io
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from tensorboard.summary.writer.record_writer import (  # type: ignore[import-untyped]
    RecordWriter,
)

GREY, COLOUR = 1, 4
"""What an event calls pictures of one channel, and of RGBA."""


class Events:
    """One event file, begun with the first event; given up for good where it cannot be written."""

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self._directory, self._say = directory, say
        self._records: RecordWriter | None = None
        self._given_up = False

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A point of a curve."""
        self._add(Summary.Value(tag=tag, simple_value=value), step)

    def audio(self, tag: str, wave: NDArray[np.float32], sample_rate: int, step: int) -> None:
        """A sound (T,) in [-1, 1]."""
        encoded = io.BytesIO()
        soundfile.write(encoded, wave, sample_rate, format="WAV", subtype="PCM_16")
        sound = Summary.Audio(
            sample_rate=sample_rate,
            num_channels=1,
            length_frames=len(wave),
            encoded_audio_string=encoded.getvalue(),
            content_type="audio/wav",
        )
        self._add(Summary.Value(tag=tag, audio=sound), step)

    def image(self, tag: str, picture: NDArray[np.float32], step: int) -> None:
        """A grey picture (height, width), 0 black to 1 white."""
        encoded = io.BytesIO()
        grey = (picture * 255).clip(0, 255).astype(np.uint8)
        Image.fromarray(grey).save(encoded, format="PNG")
        self._image(tag, encoded.getvalue(), grey.shape[1], grey.shape[0], GREY, step)

    def picture(self, tag: str, png: bytes, step: int) -> None:
        """A picture that is a PNG file already."""
        with Image.open(io.BytesIO(png)) as image:
            width, height = image.size
        self._image(tag, png, width, height, COLOUR, step)

    def close(self) -> None:
        """Every event has been written already."""
        if self._records is not None:
            with contextlib.suppress(OSError):
                self._records.close()

    def _image(
        self, tag: str, png: bytes, width: int, height: int, colours: int, step: int
    ) -> None:
        image = Summary.Image(
            height=height, width=width, colorspace=colours, encoded_image_string=png
        )
        self._add(Summary.Value(tag=tag, image=image), step)

    def _add(self, value: Summary.Value, step: int) -> None:
        if not self._given_up:
            self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))

    def _write(self, event: Event) -> None:
        try:
            if self._records is None:
                self._records = self._begun()
            self._records.write(event.SerializeToString())
            self._records.flush()
        except OSError as error:
            self._given_up = True
            self.close()
            self._say(f"no more goes to TensorBoard ({error.strerror}); training goes on")

    def _begun(self) -> RecordWriter:
        self._directory.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{secrets.token_hex(4)}"
        records = RecordWriter((self._directory / name).open("xb"))
        records.write(
            Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString()
        )
        return records
