"""What a voice is beside its WaveNet: its phones, its speakers, and the size of its networks."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.model import names
from wn_runtime.model.spec import ModelSpec
from wn_runtime.speech import conv_net
from wn_runtime.speech.labels import SILENCE

MOST_SPEAKERS = 2**16
DURATIONS, PROSODY, SPECTRUM = "durations", "prosody", "spectrum"
PROSODY_OUTPUTS = 3
"""Level, ln F0, and the log odds that it is voiced."""


def check_sizes(channels: int, layers: int, width: int) -> None:
    """Raise ValueError for what the networks of a front end cannot be."""
    for name, value, most in (
        ("channels", channels, 2048),
        ("layers", layers, 16),
        ("width", width, 63),
    ):
        if not 1 <= value <= most:
            raise ValueError(f"{name} is {value}; it must be 1 to {most}")
    if width % 2 == 0:
        raise ValueError(f"width is {width}; it must be odd")


@dataclass(frozen=True)
class SpeechSpec:
    """A front end: three small networks, each over the one before.

        durations   phones                       -> ln frames of each
        prosody     frames of phones             -> level, ln F0, voicing
        spectrum    frames of phones and prosody -> mel bands, where the voice has any

    Every one knows who speaks. What they make are the frames that the WaveNet was trained on.
    """

    features: Features
    """The columns of a frame, with phones, level and pitch."""
    speaker: str = ""
    """The condition that says who speaks; empty: one speaker."""
    speakers: tuple[str, ...] = ()
    """Its values."""
    gaps: bool = False
    """Whether its words were recorded one by one: then a short silence stands between any two."""
    channels: int = 96
    layers: int = 3
    width: int = 5
    """Rows that a convolution spans, odd."""

    def __post_init__(self) -> None:
        phones = self.features.phones
        if SILENCE not in phones or not (self.features.level and self.features.pitch):
            raise ValueError(
                f"its frames must have phones with {SILENCE!r} among them, a level and a pitch"
            )
        if len(self.speakers) > MOST_SPEAKERS:
            raise ValueError(f"it has over {MOST_SPEAKERS} speakers")
        if bool(self.speaker) != bool(self.speakers):
            raise ValueError("speaker names a condition, and speakers its values: both, or none")
        for value in self.speakers:
            names.check_label(value, "a speaker")
        check_sizes(self.channels, self.layers, self.width)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name to shape of its weights, float32; mean and scale normalise what is predicted."""
        who, phones = len(self.speakers), len(self.features.phones)
        frames = self.features.linguistic_columns + who
        size = (self.channels, self.layers, self.width)
        table = conv_net.shapes(DURATIONS, phones + who, *size, 1)
        table |= conv_net.shapes(PROSODY, frames, *size, PROSODY_OUTPUTS)
        table |= {f"{part}.{name}": (width,) for part, width in self.outputs.items()
                  for name in ("mean", "scale")}  # fmt: skip
        if self.features.mel:
            table |= conv_net.shapes(SPECTRUM, frames + PROSODY_OUTPUTS, *size, self.features.mel)
        return table

    def check(self, model: ModelSpec, where: str) -> None:
        """Raise WavestepError where a model takes other frames, or knows other speakers."""
        timing = Timing.of(model.conditioning)
        made = (self.features.sample_rate, self.features.hop, len(self.features.names))
        taken = (model.sample_rate, timing.hop, timing.frame_channels)
        if made != taken:
            raise WavestepError(
                f"{where}: it makes frames of (rate, hop, channels) {made}; the model takes {taken}"
            )
        if self.speaker and model.condition(self.speaker).values != self.speakers:
            raise WavestepError(f"{where}: its speakers are not those of the model")

    @property
    def outputs(self) -> dict[str, int]:
        """Numbers a row that each network predicts."""
        table = {DURATIONS: 1, PROSODY: PROSODY_OUTPUTS}
        return {**table, SPECTRUM: self.features.mel} if self.features.mel else table
