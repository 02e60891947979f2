"""Which features a recording's frames hold, in which order: what travels with a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.features.level import log_level
from wn_runtime.features.mel import Mel, log_mel
from wn_runtime.features.pitch import PitchRange, f0, log_f0
from wn_runtime.model import names
from wn_runtime.speech import linguistic

MOST_PHONES = 512


@dataclass(frozen=True)
class Features:
    """Columns of a frame, in this order: mel bands, level, ln F0 and voicing, phones."""

    sample_rate: int
    """Hz."""
    hop: int
    """Samples from frame to frame; frame i tells of samples i*hop to (i+1)*hop - 1."""
    window: int
    """Samples that the spectrum and the level of a frame are measured over, around its middle."""
    mel: int = 0
    """Bands of the log mel spectrum (ln of magnitudes); 0: none."""
    low_hz: float = 0.0
    """Where the mel bands begin."""
    high_hz: float = 0.0
    """Where they end; 0: half the sample rate."""
    level: bool = False
    """ln of the root mean square."""
    pitch: bool = False
    """ln Hz, and 1 where voiced, else 0."""
    pitch_low_hz: float = 71.0
    """The lowest pitch that is looked for."""
    pitch_high_hz: float = 800.0
    """The highest."""
    phones: tuple[str, ...] = ()
    """The inventory of `wn_runtime.speech.linguistic`; empty: none."""

    def __post_init__(self) -> None:
        if not 1 <= self.sample_rate <= 1_000_000:
            raise ValueError(f"sample_rate is {self.sample_rate}; it must be 1 to 1000000 Hz")
        if len(self.phones) > MOST_PHONES:
            raise ValueError(f"it has {len(self.phones)} phones; at most {MOST_PHONES} are taken")
        self._mel  # noqa: B018 (its own checks)
        self._pitch  # noqa: B018
        if not self.names:
            raise ValueError("there is nothing to extract: mel bands, level, pitch or phones")
        if len(set(self.phones)) != len(self.phones):
            raise ValueError("phones has one twice")
        for phone in self.phones:
            names.check_label(phone, "a phone")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns."""
        mel = tuple(f"mel {band}" for band in range(self.mel))
        spoken = linguistic.names(self.phones) if self.phones else ()
        return mel + ("level",) * self.level + ("ln F0", "voiced") * self.pitch + spoken

    @property
    def linguistic_columns(self) -> int:
        """How many of the columns tell of phones."""
        return len(linguistic.names(self.phones)) if self.phones else 0

    def extract(
        self, audio: NDArray[np.float32], spoken: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Audio (T,) at `sample_rate` to frames (ceil(T / hop), C).

        spoken: the columns of its phones, (ceil(T / hop), 3P + 4). Raises WavestepError.
        """
        columns: list[NDArray[np.float32]] = []
        if self.mel:
            columns.append(log_mel(audio, self._mel))
        if self.level:
            columns.append(log_level(audio, self.hop, self.window)[:, None])
        if self.pitch:
            hz = f0(audio, self.sample_rate, self.hop, self._pitch)
            columns.append(np.stack(log_f0(hz, self._pitch), axis=1))
        if self.phones:
            assert spoken is not None, "the phones come from an alignment"
            columns.append(spoken)
        return np.concatenate(columns, axis=1)

    @property
    def _mel(self) -> Mel:
        return Mel(
            self.sample_rate, self.hop, self.window, self.mel or 1, self.low_hz, self.high_hz
        )

    @property
    def _pitch(self) -> PitchRange:
        return PitchRange(self.pitch_low_hz, self.pitch_high_hz)
