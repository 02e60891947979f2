"""Forced alignment of one recording with its words by pocketsphinx.

It decodes twice: for the words, where of each the pronunciation is chosen that fits best and
silences may stand between them, and for the phones of that. Its beams are far wider than its own,
with which a quarter of single words fail. The first phone swallows what comes before it, and the
last what comes after: the energy says where they begin and end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import temporary
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.interrupts import Held
from wn_runtime.speech.dictionary import Dictionary
from wn_runtime.speech.labels import SILENCE, Segment
from wn_runtime.speech.text import PAUSE
from wn_train.alignment import ends, pronunciations
from wn_train.data.decoding import Faulty
from wn_train.data.resampling import resampled

RATE = 16000
"""Hz that the acoustic model knows."""
FRAME_S = 0.01
"""Seconds of pocketsphinx's frames: the shortest phone, and how exact its times are."""
MOST_SECONDS = 120
PHONES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH"),
    *("IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH"),
    *("UW", "V", "W", "Y", "Z", "ZH"),
)
"""Of the acoustic model, and CMU's dictionary."""
_PADDING_S = 0.1
_SETTINGS = {
    "lm": None,
    "samprate": RATE,
    "cmn": "batch",  # every recording by itself, whatever came before
    "beam": 1e-120,
    "wbeam": 1e-100,
    "pbeam": 1e-120,
    "silprob": 0.1,  # with less, the next word's first consonant swallows a pause
    "fillprob": 1e-20,
    "bestpath": False,
    "loglevel": "FATAL",
}


class Aligner:
    """Aligns recordings with words of one dictionary."""

    def __init__(self, dictionary: Dictionary) -> None:
        """dictionary: of the words that will come, no more: a large one takes long to read.

        Raises WavestepError without pocketsphinx, and for phones that its acoustic model lacks.
        """
        sphinx = pronunciations.need()
        for phone in dictionary.phones:
            if phone not in PHONES:
                raise WavestepError(
                    f"{unknown('phone', phone, PHONES, 'the acoustic model has')}; write the "
                    "dictionary with these"
                )
        with temporary.folder() as folder, Held():
            path = folder / "words.dict"
            path.write_text(dictionary.written(), encoding="utf-8")
            model = str(pronunciations.acoustic_model())
            self._decoder: Any = sphinx.Decoder(
                sphinx.Config(hmm=model, dict=str(path), **_SETTINGS)
            )

    def align(
        self, audio: NDArray[np.float32], rate: int, words: Sequence[str]
    ) -> tuple[Segment, ...]:
        """Segments of all of audio (T,) at `rate` Hz, silence included.

        Raises Faulty for what is silent, too short or too long, or does not fit the words.
        """
        said = [word for word in words if word != PAUSE]
        if not said:
            raise Faulty("has no words")
        seconds = len(audio) / rate
        if seconds > MOST_SECONDS:
            raise Faulty(f"lasts {seconds:.0f} s; at most {MOST_SECONDS} are aligned, cut it")
        start, end = ends.spoken(audio, rate)
        phones = self._decoded(_prepared(audio, rate), said)
        return fitted(phones, start, end, seconds)

    def _decoded(self, pcm: bytes, said: Sequence[str]) -> list[tuple[str, float]]:
        """Phones and where they start, in seconds of the recording."""
        decoder = self._decoder
        try:
            decoder.set_align_text(" ".join(said))
            self._run(pcm)
            found = decoder.hyp()
            if found is None or found.hypstr.split() != said:  # it may end before the last word
                raise Faulty("does not fit its words")
            decoder.set_alignment()
            self._run(pcm)
            aligned = decoder.get_alignment()
        except RuntimeError as error:
            raise Faulty(f"cannot be aligned ({error})") from error
        if aligned is None:
            raise Faulty("does not fit its phones")
        return [(phone.name, phone.start * FRAME_S - _PADDING_S) for phone in aligned.phones()]

    def _run(self, pcm: bytes) -> None:
        self._decoder.reinit_feat()  # what it knows of noise came from other recordings
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, no_search=False, full_utt=True)
        self._decoder.end_utt()


def fitted(
    phones: Sequence[tuple[str, float]], start: float, end: float, seconds: float
) -> tuple[Segment, ...]:
    """Phones with their starts in seconds, as segments of a recording whose sound has two ends.

    Silence at both ends goes, and comes again where the energy says so; every phone keeps a frame.
    Raises Faulty where there is no room for that.
    """
    named: list[tuple[str, float]] = []
    for phone, at in phones:
        name = SILENCE if phone == "SIL" else phone
        if not (name == SILENCE and named and named[-1][0] == SILENCE):  # two in a row are one
            named.append((name, at))
    while named and named[0][0] == SILENCE:
        start = max(start, min(named[1][1], end)) if len(named) > 1 else start
        named.pop(0)
    while named and named[-1][0] == SILENCE:
        end = min(end, max(named.pop()[1], start))
    if seconds < len(named) * FRAME_S:
        raise Faulty(f"too short, {seconds:.3f} s for {len(named)} phones")
    needed = len(named) * FRAME_S
    if end - start < needed:  # quieter phones lie beyond
        start = max(0.0, min(start, seconds - needed))
        end = max(end, start + needed)
    times = [start]
    for place, (_, at) in enumerate(named[1:], start=1):
        latest = end - (len(named) - place) * FRAME_S
        times.append(max(times[-1] + FRAME_S, min(at, latest)))
    bounds = [*times, end]
    names = [name for name, _ in named]
    if bounds[0] >= FRAME_S:
        bounds, names = [0.0, *bounds], [SILENCE, *names]
    else:
        bounds[0] = 0.0
    if seconds - bounds[-1] >= FRAME_S:
        bounds, names = [*bounds, seconds], [*names, SILENCE]
    else:
        bounds[-1] = seconds
    return tuple(
        Segment(name, bounds[place], bounds[place + 1]) for place, name in enumerate(names)
    )


def _prepared(audio: NDArray[np.float32], rate: int) -> bytes:
    """16-bit PCM at the model's rate, at half of full scale, noise of the room before and after."""
    loudest = float(np.abs(audio).max())
    scaled = audio * np.float32(0.5 / loudest)
    quiet = 10 ** (np.quantile(ends.levels(scaled, rate), 0.05) / 20)
    # The same noise for every recording, at its own rate: without what it lacks of the spectrum.
    noise = np.random.default_rng(0).standard_normal((2, round(_PADDING_S * rate)))
    before, after = (noise * quiet).astype(np.float32)
    wide = resampled(np.concatenate([before, scaled, after]), rate, RATE)
    return (np.clip(wide, -1, 1) * 32767).astype("<i2").tobytes()
