"""How good forced alignment is on a corpus of single words, before and after its rounds.

    python -m bench.speech.alignment fsdd/ --column digit [--rounds 0,1,2,4]

There are no boundaries by hand to compare with. What is measured instead:

- floor: phones of at most 30 ms, the shortest that pocketsphinx gives, in percent.
- spread: of a phone's durations in its word, deviation / mean, averaged; a boundary in the wrong
  place adds to it.
- voicing: where a word begins voiceless and goes on voiced, how far that boundary lies from where
  the voice sets in, by the energy of 90 to 450 Hz, which no aligner here looks at by itself.
  Median ms, and the share within 20 ms.
- silence: share of the time.
- last: the last phone's mean duration ± deviation, ms; it swallows what comes after a word.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from wn_runtime.speech.labels import SILENCE, Segment
from wn_runtime.speech.text import words
from wn_train.alignment import pronunciations
from wn_train.alignment.corpus import Spoken, hear
from wn_train.alignment.viterbi import Heard, realigned
from wn_train.data import corpus, decoding

RATE = 8000
VOICELESS = ("F", "S", "T", "TH", "P", "K", "SH", "CH", "HH")
Aligned = list[tuple[str, NDArray[np.float32], tuple[Segment, ...]]]
"""Word, audio and segments of each recording."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--column", default="digit", help="Of metadata.csv: what is said.")
@click.option("--rounds", default="0,1,2,4", help="Of re-alignment, to compare.")
def main(data: Path, column: str, rounds: str) -> None:
    """Print a row for each number of rounds; 0 is pocketsphinx and the energy alone."""
    recordings = corpus.read(data).recordings
    spoken = [
        Spoken(one.path, words(one.values[column]), one.values.get("speaker", ""))
        for one in recordings
    ]
    audio = [decoding.read(one.path, RATE) for one in recordings]
    print("rounds         aligned    floor  spread           voicing  silence  last")
    found = hear(spoken, pronunciations.load(), RATE)
    good = [place for place, one in enumerate(found) if isinstance(one, Heard)]
    for count in map(int, rounds.split(",")):
        copies = [
            dataclasses.replace(one, features=one.features.copy())
            for one in found
            if isinstance(one, Heard)
        ]
        aligned = [
            (spoken[place].words[0], audio[place], segments)
            for place, segments in zip(good, realigned(copies, count), strict=True)
        ]
        print(f"{count:6}{len(good):8} of {len(found)}{_row(aligned)}", flush=True)


def _row(aligned: Aligned) -> str:
    durations: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    last: dict[str, list[float]] = defaultdict(list)
    for word, _, segments in aligned:
        phones = [segment for segment in segments if segment.phone != SILENCE]
        for place, segment in enumerate(phones):
            durations[word, place, segment.phone].append(1000 * segment.seconds)
        last[f"{phones[-1].phone} of {word}"].append(1000 * phones[-1].seconds)
    every = np.concatenate([*durations.values()])
    spread = np.mean([np.std(some) / np.mean(some) for some in durations.values()])
    off = 1000 * np.abs(_onsets(aligned))
    near = f"{np.median(off):6.0f} ms {np.mean(off <= 20):8.0%}"
    silent = sum(s.seconds for _, _, some in aligned for s in some if s.phone == SILENCE)
    whole = sum(segments[-1].end for _, _, segments in aligned)
    return f"{np.mean(every <= 30.5):9.1%}{spread:8.2f}{near}{silent / whole:9.1%}  " + ", ".join(
        f"{name} {np.mean(ms):.0f} ± {np.std(ms):.0f}" for name, ms in last.items()
    )


def _onsets(aligned: Aligned) -> NDArray[np.float64]:
    """Seconds from the voice's onset to the end of a voiceless first phone."""
    off = []
    for _, audio, segments in aligned:
        phones = [segment for segment in segments if segment.phone != SILENCE]
        set_in = [segment.phone not in VOICELESS for segment in phones[:2]] == [False, True]
        onset = _voice_onset(audio) if set_in else None
        if onset is not None:
            off.append(phones[0].end - onset)
    return np.array(off)


def _voice_onset(audio: NDArray[np.float32]) -> float | None:
    """Seconds to the first 40 ms of voice; None where it is there from the beginning."""
    padded = 2 * ((len(audio) + 800) // 2)
    slopes = np.interp(np.fft.rfftfreq(padded, 1 / RATE), [45, 90, 450, 675], [0, 1, 1, 0])
    low = np.fft.irfft(np.fft.rfft(audio, padded) * slopes)[: len(audio)]
    window = np.hanning(80) / 40
    level = 10 * np.log10(np.convolve(low**2, window, "same")[::8] + 1e-12)  # one a ms
    voiced = level > max(level.max() - 18, np.quantile(level, 0.05) + 6)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]))).reshape(-1, 2)
    long: Sequence[int] = [start for start, end in edges if end - start >= 40]
    return long[0] / 1000 if long and long[0] > 20 else None


if __name__ == "__main__":
    main()
