"""One picture: a recording, its re-synthesis by a vocoder, and the same word read from text.

    python -m bench.speech.figure DATA-FRAMES VOCODER VOICE -o FILE.png
                                  [--word seven --speaker theo --word ...]

DATA-FRAMES is the folder of the vocoder's frames, whose metadata has columns speaker and digit; the
recording is the first of its `valid` split with this word and speaker. Phones of the recording and
its re-synthesis are where forced alignment puts them, over the word that is read where the front
end does. Cyan is F0, by WORLD's DIO from the audio drawn.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

import wn_runtime
from bench.speech import spectra
from bench.speech.vocoder import recorded, resynthesised
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.speech.front_end import FrontEnd
from wn_runtime.speech.labels import Segment
from wn_runtime.speech.text import DIGITS
from wn_train.alignment import corpus as alignment
from wn_train.data import corpus
from wn_train.data.corpus import Recording
from wn_train.features import described


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("vocoder", type=click.Path(path_type=Path, exists=True))
@click.argument("voice", type=click.Path(path_type=Path, exists=True))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A PNG.")
@click.option("--word", default=["seven", "five"], multiple=True, show_default=True)
@click.option("--speaker", default=["jackson", "theo"], multiple=True, show_default=True)
@click.option("--temperature", default=1.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(
    data: Path,
    vocoder: Path,
    voice: Path,
    output: Path,
    word: tuple[str, ...],
    speaker: tuple[str, ...],
    temperature: float,
    seed: int,
) -> None:
    """Draw a recording of DATA beside what VOCODER makes of it and how VOICE reads its word."""
    if len(word) != len(speaker):
        raise click.UsageError(f"{len(word)} words for {len(speaker)} speakers; give a pair a row")
    features = described.read(data)
    if features is None or not features.pitch:
        raise WavestepError(f"{data} has no frames with pitch; see wn-features")
    rows = []
    with wn_runtime.open(vocoder) as again, wn_runtime.open(voice) as reader:
        for said, who in zip(word, speaker, strict=True):
            row = recording(data, said, who)
            wave = recorded(row, features.sample_rate)
            assert row.frames is not None, "framed"
            made = resynthesised(again, row, np.load(row.frames), len(wave), seed, temperature)
            phones = aligned(row, said, features.sample_rate, speaks(reader))
            rows.append(
                [
                    spectra.Panel(f"{who}, {said!r}: recording, held back", wave, phones),
                    spectra.Panel("vocoder, from its mel and F0", made, phones),
                    read_out(reader, said, who, seed, temperature),
                ]
            )
    output.write_bytes(spectra.picture(rows, features))


def recording(data: Path, word: str, speaker: str) -> Recording:
    """The first of the `valid` split. Raises WavestepError where there is none."""
    if word not in DIGITS:
        raise WavestepError(unknown("word", word, DIGITS))
    asked = (str(DIGITS.index(word)), speaker)
    for row in corpus.read(data, ("digit", "speaker"), framed=True).recordings:
        if row.split == "valid" and tuple(row.values.values()) == asked:
            return row
    raise WavestepError(f"{data} holds back no {word!r} by {speaker!r}")


def speaks(reader: wn_runtime.Model) -> FrontEnd:
    """Its front end. Raises WavestepError where it has none."""
    if reader.front_end is None:
        raise WavestepError(f"{reader.name} does not speak; give a voice trained with [speech]")
    return reader.front_end


def aligned(row: Recording, word: str, rate: int, front_end: FrontEnd) -> tuple[Segment, ...]:
    """A recording's phones; none where it fits no alignment."""
    said = alignment.Spoken(row.path, (word,))
    [found] = alignment.align([said], front_end.dictionary, rate)
    return () if isinstance(found, str) else found


def read_out(
    reader: wn_runtime.Model, word: str, speaker: str, seed: int, temperature: float
) -> spectra.Panel:
    """A word from text, with the phones that the front end timed."""
    with reader.say(word, seed, temperature, speaker=speaker) as stream:
        assert stream.available is not None, "it takes frames"
        wave = stream.read(stream.available)[:, 0]
    front_end = speaks(reader)
    spoken, features = front_end.spoken(word, speaker), front_end.spec.features
    ends = np.cumsum(spoken.frames) * features.hop / features.sample_rate
    starts = [0.0, *ends[:-1]]
    phones = tuple(Segment(*each) for each in zip(spoken.phones, starts, ends, strict=True))
    return spectra.Panel(f"text to speech: {word!r}", wave, phones)


if __name__ == "__main__":
    main()
