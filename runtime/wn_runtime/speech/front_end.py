"""The front end of a voice: from a text to the frames that its WaveNet speaks from.

"seven, two" -> words -> phones -> frames of each phone -> level, pitch -> mel bands -> frames
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_runtime.conditioning.spec import Condition
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.speech import conv_net, linguistic
from wn_runtime.speech.dictionary import Dictionary
from wn_runtime.speech.labels import SILENCE
from wn_runtime.speech.spec import DURATIONS, PROSODY, SPECTRUM, SpeechSpec
from wn_runtime.speech.text import PAUSE, words

EDGE_S = 0.15
"""Silence before the first word, and after the last."""
PAUSE_S = 0.25
"""Silence of a comma or a full stop."""
SLOWEST, FASTEST = 0.25, 4.0
LONGEST_PHONE_S = 2.0
MOST_BYTES = 2**26
"""Of the frames of a text, and of each network's rows on the way to them; a few of these are in
memory at a time."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Spoken:
    """Phones in time."""

    phones: tuple[str, ...]
    frames: NDArray[np.int64]
    """How many each lasts."""


class FrontEnd:
    """Its answer depends on text, speaker and rate alone."""

    def __init__(
        self, spec: SpeechSpec, weights: Mapping[str, Array], dictionary: Dictionary
    ) -> None:
        self.spec, self.dictionary = spec, dictionary
        self.weights = weights

    def with_words(self, more: Dictionary, where: str) -> FrontEnd:
        """The same with more words, or others for those it has. Raises WavestepError.

        A pronunciation with a phone that this voice never learned is refused.
        """
        check_phones(more, self.spec, where)
        table = {**self.dictionary.pronunciations, **more.pronunciations}
        return FrontEnd(self.spec, self.weights, Dictionary(table))

    def frames(self, text: str, speaker: str | int | None = None, rate: float = 1.0) -> Array:
        """A text to frames (F, C).

        speaker: a name or an index; None for a voice of one. rate: 2 is twice as fast. Raises
        WavestepError for a text without a word, words that no dictionary has, an unknown speaker.
        """
        return self.rendered(self.spoken(text, speaker, rate), speaker)

    def spoken(self, text: str, speaker: str | int | None = None, rate: float = 1.0) -> Spoken:
        """A text to phones in time. Raises WavestepError as `frames` does."""
        if not SLOWEST <= rate <= FASTEST:
            raise WavestepError(f"rate is {rate}; it must be {SLOWEST} to {FASTEST}")
        phones, least = self._phones(text)
        return self.timed(phones, speaker, rate, least)

    def timed(
        self,
        phones: Sequence[str],
        speaker: str | int | None = None,
        rate: float = 1.0,
        least: Sequence[float] = (),
    ) -> Spoken:
        """Phones to phones in time. least: seconds that each lasts at least."""
        hop_s = self.spec.features.hop / self.spec.features.sample_rate
        self._check_length(len(phones))
        number = {phone: i for i, phone in enumerate(self.spec.features.phones)}
        rows = np.zeros((len(phones), len(number)), np.float32)
        rows[np.arange(len(phones)), [number[phone] for phone in phones]] = 1
        logs = self._predicted(DURATIONS, rows, speaker)[:, 0]
        frames = np.exp(np.clip(logs, 0, np.log(LONGEST_PHONE_S / hop_s))) / rate
        if len(least):
            frames = np.maximum(frames, np.asarray(least) / hop_s)
        # The rounding of one is made up for by the next: the tempo is kept.
        ends = np.cumsum(np.maximum(frames, 1))
        return Spoken(tuple(phones), linguistic.whole_frames(ends, 1.0, round(float(ends[-1]))))

    def rendered(self, spoken: Spoken, speaker: str | int | None = None) -> Array:
        """Phones in time to frames (F, C): level, pitch and mel bands as this speaker has them.

        Raises WavestepError for what is too long to be made at a time.
        """
        self._check_length(int(spoken.frames.sum()))
        rows = linguistic.columns(spoken.phones, spoken.frames, self.spec.features.phones)
        prosody = self._predicted(PROSODY, rows, speaker)
        voiced = (prosody[:, 2] > 0).astype(np.float32)
        prosody = np.stack([prosody[:, 0], prosody[:, 1], voiced], axis=1)
        mel = self.spectrum(rows, prosody, speaker)
        return np.concatenate([mel, prosody, rows], axis=1)

    def spectrum(self, rows: Array, prosody: Array, speaker: str | int | None = None) -> Array:
        """The mel bands (F, mel) of phones (F, 3P + 4) with level, ln F0 and voicing (F, 3)."""
        if not self.spec.features.mel:
            return np.empty((len(rows), 0), np.float32)
        mean, scale = self._normal(PROSODY)  # 0 and 1 for voicing, which stays as it is
        rows = np.concatenate([rows, (prosody - mean) / scale], axis=1)
        return self._predicted(SPECTRUM, rows, speaker)

    def _check_length(self, frames: int) -> None:
        """Of a text: its frames, or so far its phones, of which each lasts one at least."""
        features = self.spec.features
        widest = max(len(features.names) + len(self.spec.speakers), self.spec.channels)
        if frames * widest * np.dtype(np.float32).itemsize > MOST_BYTES:
            seconds = frames * features.hop / features.sample_rate
            raise WavestepError(
                f"this text lasts {seconds:.0f} s or more; give less of it at a time"
            )

    def _phones(self, text: str) -> tuple[list[str], list[float]]:
        """The phones of a text, and how many seconds each lasts at least."""
        said = words(text)
        spelled = self.dictionary.phones_of([word for word in said if word != PAUSE])
        if not spelled:
            raise WavestepError(f"there is no word in {text!r:.60}; give some to say")
        phones, least, following = [SILENCE], [EDGE_S], iter(spelled)
        for word in said:
            if word == PAUSE:
                if phones[-1] == SILENCE:
                    least[-1] = max(least[-1], PAUSE_S)
                else:
                    phones.append(SILENCE)
                    least.append(PAUSE_S)
                continue
            if self.spec.gaps and phones[-1] != SILENCE:
                phones.append(SILENCE)
                least.append(0.0)
            pronounced = next(following)
            phones += pronounced
            least += [0.0] * len(pronounced)
        if phones[-1] != SILENCE:
            phones.append(SILENCE)
            least.append(0.0)
        least[-1] = max(least[-1], EDGE_S)
        return phones, least

    def _predicted(self, part: str, rows: Array, speaker: str | int | None) -> Array:
        """What a network says of rows (n, inputs) and the speaker, in its own units."""
        who = np.zeros((len(rows), len(self.spec.speakers)), np.float32)
        if self.spec.speakers:
            who[:, self._index(speaker)] = 1
        rows = np.concatenate([rows, who], axis=1)
        mean, scale = self._normal(part)
        normal = conv_net.apply(part, self.spec.layers, self.weights, rows)
        result: Array = normal * scale + mean
        if not np.isfinite(result).all():
            raise WavestepError(
                f"this voice's {part} are no finite numbers: its weights are damaged; train again"
            )
        return result

    def _normal(self, part: str) -> tuple[Array, Array]:
        return self.weights[f"{part}.mean"], self.weights[f"{part}.scale"]

    def _index(self, speaker: str | int | None) -> int:
        if speaker is None:
            raise WavestepError(
                f"say who speaks: --{self.spec.speaker}, one of {', '.join(self.spec.speakers)}"
            )
        return Condition(self.spec.speaker, "categorical", self.spec.speakers).index(speaker)


def check_phones(words: Dictionary, spec: SpeechSpec, where: str) -> None:
    """Raise WavestepError for a pronunciation with a phone that the voice never learned."""
    known = spec.features.phones
    for phone in words.phones:
        if phone not in known:
            raise WavestepError(f"{where}: {unknown('phone', phone, known, 'this voice has')}")
