"""Whether an independent listener hears the digit and the speaker that were asked for.

    python -m bench.speech.recognise DATA MODEL [--clips 10] [--temperature 1.0] [--plot FILE.png]

Trains a small convolutional recogniser on the real recordings of DATA's `train` split (metadata
with columns speaker and digit), states its accuracy on the real `valid` split, then on clips that
MODEL says, for every speaker and digit. It never hears a generated clip in training. Real and
generated clips are treated alike: cut to their sound by energy (wn_train/alignment/ends.py), and
placed in a clip of one second; only its level is taken away.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import soundfile
import torch

import wn_runtime
from bench.speech import recogniser, voices
from bench.speech.confusion import Confusion, picture
from bench.speech.listening import BEGINS, RATE, Wave, never_begin
from wn_runtime.conditioning.spec import Condition
from wn_train.data import corpus, decoding

HEADS = ("digit", "speaker")
Labels = dict[str, torch.Tensor]
"""Head to classes (n,)."""


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--clips", default=10, show_default=True, help="Clips of each speaker and digit.")
@click.option(
    "--temperature", default=[1.0], show_default=True, multiple=True, help="Several may be given."
)
@click.option("--engine", help="As in wn-run.")
@click.option("--plot", type=click.Path(path_type=Path), help="The confusion matrices, as PNG.")
@click.option("--save", type=click.Path(path_type=Path), help="A folder for a clip of each pair.")
def main(
    data: Path,
    model: Path,
    clips: int,
    temperature: tuple[float, ...],
    engine: str | None,
    plot: Path | None,
    save: Path | None,
) -> None:
    """Recognise what MODEL says, with a recogniser trained on DATA."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    found = corpus.read(data, HEADS)
    conditions = {c.name: c for c in found.conditions}
    judge = recogniser.trained(*real(found, "train", conditions))
    print(f"clips of {recogniser.SECONDS:g} s, the sound cut by energy and put at "
          f"{recogniser.START_S:g} s, in real and generated ones alike")  # fmt: skip
    print(f"a clip never begins where {BEGINS}")
    waves, labels = real(found, "valid", conditions)
    rows = [report("real, held back", judge, waves, labels, conditions)]
    with voices.opened(model, engine) as voice:
        print(f"{voice.name}: {voice.engine} {voice.precision}")
        for degree in temperature:
            waves, labels = generated(voice, degree, clips, conditions, save)
            what = f"generated, temperature {degree:g}"
            rows.append(report(what, judge, waves, labels, conditions))
    for index, head in enumerate(HEADS):
        for i, value in enumerate(conditions[head].values):
            shares = [f"{100 * row[index].shares[i, i]:4.0f} %" for row in rows]
            print(f"  {head} {value:10} {' '.join(shares)}")
    if plot is not None:
        plot.write_bytes(picture(rows))
    print(f"{time.perf_counter() - began:.0f} s")


def real(
    found: corpus.Corpus, split: str, conditions: dict[str, Condition]
) -> tuple[list[Wave], Labels]:
    """The recordings of a split."""
    rows = [row for row in found.recordings if row.split == split]
    waves = [decoding.read(row.path, RATE) for row in rows]
    return waves, {
        head: torch.tensor([conditions[head].values.index(row.values[head]) for row in rows])
        for head in HEADS
    }


def generated(
    voice: wn_runtime.Model,
    temperature: float,
    clips: int,
    conditions: dict[str, Condition],
    save: Path | None,
) -> tuple[list[Wave], Labels]:
    """`clips` of each digit and speaker, every one with a seed of its own."""
    waves: list[Wave] = []
    asked: dict[str, list[int]] = {head: [] for head in HEADS}
    for s, speaker in enumerate(conditions["speaker"].values):
        for d, digit in enumerate(conditions["digit"].values):
            for clip in range(clips):
                waves.append(voices.said(voice, digit, speaker, len(waves), temperature))
                asked["speaker"].append(s)
                asked["digit"].append(d)
                if save is not None and clip == 0:
                    save.mkdir(parents=True, exist_ok=True)
                    soundfile.write(save / f"{digit}_{speaker}.wav", waves[-1], RATE)
    return waves, {head: torch.tensor(each) for head, each in asked.items()}


def report(
    what: str,
    judge: recogniser.Recogniser,
    waves: list[Wave],
    labels: Labels,
    conditions: dict[str, Condition],
) -> list[Confusion]:
    """A line of shares; for each head what was heard for what was asked."""
    heard = recogniser.heard(judge, waves)
    found = [
        Confusion(f"{what}: {h}", conditions[h].values, labels[h].numpy(), heard[h].numpy())
        for h in HEADS
    ]
    shares = ", ".join(f"{h} {100 * c.right:.1f} %" for h, c in zip(HEADS, found, strict=True))
    silent = never_begin(waves, labels["speaker"].numpy()).mean()
    print(f"{what}, {len(waves)} clips: {shares}; {100 * silent:.1f} % never begin", flush=True)
    return found


if __name__ == "__main__":
    main()
