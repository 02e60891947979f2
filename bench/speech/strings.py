"""Share of the digits of five-digit strings that an independent listener hears in order.

    python -m bench.speech.strings DATA MODEL [--strings 100] [--temperature 1.0] [--save DIR]

MODEL reads "seven four two nine one", digits drawn at random, its speakers in turn. The listener
(transcriber.py) was trained on strings of DATA's real `train` recordings; it is not told how many
digits there are, nor when. The share is 1 - edits / digits, edits being digits replaced, added
or dropped. Beside it stand strings made of the real `valid` recordings.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import click
import numpy as np
import soundfile
import torch

from bench.speech import transcriber, voices
from bench.speech.listening import RATE, Wave, trimmed
from wn_train.data import corpus, decoding

DIGITS = 5
String = tuple[str, list[int]]
"""Who says which digits."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--strings", default=100, show_default=True)
@click.option(
    "--temperature", default=[1.0], show_default=True, multiple=True, help="Several may be given."
)
@click.option("--engine", help="As in wn-run.")
@click.option("--save", type=click.Path(path_type=Path), help="A folder for the strings as WAV.")
def main(
    data: Path,
    model: Path,
    strings: int,
    temperature: tuple[float, ...],
    engine: str | None,
    save: Path | None,
) -> None:
    """Listen to strings of digits that MODEL reads, with a listener trained on DATA."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    found = corpus.read(data, ("speaker", "digit"))
    speakers = next(c.values for c in found.conditions if c.name == "speaker")
    words = {split: spoken(found, split, speakers) for split in corpus.SPLITS}
    listener = transcriber.trained(words["train"])
    rng = np.random.default_rng(1)
    asked = [
        (speakers[number % len(speakers)], rng.integers(0, 10, DIGITS).tolist())
        for number in range(strings)
    ]
    made = [real(words["valid"][speakers.index(who)], digits, rng) for who, digits in asked]
    report("real words, held back, joined", listener, made, asked)
    with voices.opened(model, engine) as voice:
        print(f"{voice.name}: {voice.engine} {voice.precision}")
        for degree in temperature:
            made = [
                voices.said(voice, "".join(map(str, digits)), who, number, degree)
                for number, (who, digits) in enumerate(asked)
            ]
            report(f"read, temperature {degree:g}", listener, made, asked)
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)
        for (who, digits), wave in zip(asked, made, strict=True):
            soundfile.write(save / f"{who}_{''.join(map(str, digits))}.wav", wave, RATE)
    print(f"{time.perf_counter() - began:.0f} s")


def spoken(
    found: corpus.Corpus, split: str, speakers: tuple[str, ...]
) -> list[list[tuple[Wave, int]]]:
    """Each speaker's recordings of a split, with the digit that each is."""
    return [
        [
            (decoding.read(row.path, RATE), int(row.values["digit"]))
            for row in found.recordings
            if row.split == split and row.values["speaker"] == speaker
        ]
        for speaker in speakers
    ]


def real(words: list[tuple[Wave, int]], digits: list[int], rng: np.random.Generator) -> Wave:
    """Digits made of a speaker's recordings, joined as the listener's own strings are."""
    chosen = []
    for digit in digits:
        some = [wave for wave, each in words if each == digit]
        chosen.append(trimmed(some[rng.integers(len(some))]))
    return transcriber.joined(chosen, rng)


def report(
    what: str, listener: transcriber.Transcriber, waves: list[Wave], asked: list[String]
) -> None:
    """A line, then a speaker each."""
    edits, digits = Counter[str](), Counter[str]()
    whole = 0
    for (who, wanted), wave in zip(asked, waves, strict=True):
        wrong = transcriber.edits(wanted, transcriber.heard(listener, wave))
        edits[who] += wrong
        digits[who] += len(wanted)
        whole += not wrong
    share = 100 * (1 - edits.total() / digits.total())
    each = ", ".join(f"{who} {100 * (1 - edits[who] / digits[who]):.0f}" for who in digits)
    print(
        f"{what}, {len(asked)} strings of {DIGITS}: {share:.1f} % of the digits in order, "
        f"{100 * whole / len(asked):.0f} % of the strings whole; {each}",
        flush=True,
    )


if __name__ == "__main__":
    main()
