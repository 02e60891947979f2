"""How much of a voice's pitch is heard: WORLD's word on what it says, beside what it was to say.

    python -m bench.speech.voicing MODEL [--temperature 1.0] [--temperature 0.8]

MODEL is a voice of the ten digits with pitch among its frames (wn-export examples/digits.pt). Every
speaker says every word. A voice that whispers is understood, and its pitch is not found.

    voiced      share of the frames that are to be voiced in which WORLD finds a pitch
    off         median |difference| of that pitch from the one asked for, cents
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

import wn_runtime
from bench.speech.vocoder import CENTS
from wn_runtime.errors import WavestepError
from wn_runtime.features.pitch import PitchRange, f0
from wn_runtime.speech.front_end import FrontEnd

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def heard(
    voice: wn_runtime.Model, front_end: FrontEnd, speaker: str, word: str, temperature: float
) -> tuple[int, int, list[float]]:
    """Frames to be voiced, those of them in which a pitch is found, and how far off it is."""
    features = front_end.spec.features
    frames = front_end.frames(word, speaker)
    log_hz, voiced = (frames[:, features.names.index(name)] for name in ("ln F0", "voiced"))
    with voice.say(word, speaker=speaker, seed=0, temperature=temperature) as stream:
        wave = stream.read(len(frames) * features.hop)[:, 0]
    within = PitchRange(features.pitch_low_hz, features.pitch_high_hz)
    hz = f0(wave, features.sample_rate, features.hop, within)[: len(frames)]
    wanted = voiced[: len(hz)] > 0
    both = wanted & (hz > 0)
    off = CENTS * np.abs(np.log(hz[both]) - log_hz[: len(hz)][both])
    return int(wanted.sum()), int(both.sum()), off.tolist()


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--temperature", default=[1.0], show_default=True, multiple=True)
def main(model: Path, temperature: tuple[float, ...]) -> None:
    """Print both figures of each speaker and of all."""
    with wn_runtime.open(model) as voice:
        front_end = voice.front_end
        if front_end is None or not front_end.spec.features.pitch:
            raise WavestepError(f"{model} is no voice with pitch; see docs/text-to-speech.md")
        for degree in temperature:
            wanted, found, off = 0, 0, list[float]()
            print(f"{voice.name}, temperature {degree:g}")
            for speaker in front_end.spec.speakers:
                said = [heard(voice, front_end, speaker, word, degree) for word in WORDS]
                asked, had = sum(each[0] for each in said), sum(each[1] for each in said)
                wanted, found = wanted + asked, found + had
                off += [cents for each in said for cents in each[2]]
                print(f"  {speaker:10} voiced {100 * had / asked:5.1f} %")
            share = 100 * found / wanted
            print(f"  {'all':10} voiced {share:5.1f} %, off {np.median(off):.0f} cents")


if __name__ == "__main__":
    main()
