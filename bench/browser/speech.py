"""A voice's front end in JavaScript: its bytes, its time in Node, and what eight bits change.

    python -m bench.browser.speech MODEL [--turns 60]

MODEL is a directory of a voice of digits. Printed for each precision of the weights:

    bytes     of the two files that a site ships
    load      milliseconds until a text can be said
    text      milliseconds from a text to its frames: of the first in a new process, then the
              median and the fastest of so many turns, all speakers in turn
    busy      of them the processor's, which do not depend on what else the machine does
    off       of int8 from float32, over all speakers: root mean square of the mel bands and of
              ln F0 with the same phones in time; frames of another voicing; phones that last one
              frame more or less, and the most that one differs
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import click
import numpy as np

import wn_export
from wn_export.package import site_speech
from wn_runtime.model.package import ModelPackage
from wn_runtime.speech.front_end import FrontEnd

TEXTS = ("seven four two nine one", "zero one two three four five six seven eight nine. " * 3)
SITE = Path(wn_export.__path__[0]) / "site"
DB, CENTS = 20 / np.log(10), 1200 / np.log(2)


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.option("--turns", default=60, show_default=True)
def main(model: Path, turns: int) -> None:
    """Bytes and times of the front end of MODEL in JavaScript, and what eight bits change."""
    front_end = ModelPackage(model).front_end
    if front_end is None:
        raise click.ClickException(f"{model} does not speak; give a voice")
    for precision in site_speech.PRECISIONS:
        files = site_speech.files_of(front_end, precision)
        print(f"{precision:6}bytes  {sum(map(len, files.values())):,}")
        timed(files, front_end, turns)
    rounded = site_speech.read(site_speech.files_of(front_end, "int8"))
    print(f"{'int8':6}off    {off(front_end, rounded)}")


def timed(files: dict[str, bytes], front_end: FrontEnd, turns: int) -> None:
    """Print what speech.mjs measures."""
    asked = {"texts": TEXTS, "speakers": front_end.spec.speakers or (None,), "turns": turns}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            (Path(folder) / name).write_bytes(data)
        script = Path(__file__).with_suffix(".mjs")
        done = subprocess.run(
            ["node", script, SITE.as_uri(), folder],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=True,
        )
    told = json.loads(done.stdout)
    load, busy = told["load"], told["busy"]
    print(f"{'':6}load   {load:.1f} ms (busy {busy:.1f})   node {told['version']}")
    for said in told["said"]:
        print(
            f"{'':6}text   {said['seconds']:.1f} s of speech: first {said['first']:.1f} ms "
            f"(busy {said['busy']:.1f}), median {said['median']:.1f}, fastest {said['fastest']:.1f}"
        )


def off(front_end: FrontEnd, rounded: FrontEnd) -> str:
    """How far a front end with rounded weights is from the one that it was made of."""
    mel = front_end.spec.features.mel
    errors, lengths, unlike, most = [], 0, 0, 0
    for text in TEXTS:
        for speaker in front_end.spec.speakers or (None,):
            spoken = front_end.spoken(text, speaker)
            differ = np.abs(rounded.spoken(text, speaker).frames - spoken.frames)
            lengths, unlike = lengths + len(differ), unlike + int(np.count_nonzero(differ))
            most = max(most, int(differ.max()))
            errors.append(rounded.rendered(spoken, speaker) - front_end.rendered(spoken, speaker))
    error = np.concatenate(errors)
    bands, pitch, voicing = error[:, :mel], error[:, mel + 1], error[:, mel + 2]
    return (
        f"mel {DB * np.sqrt(np.mean(bands**2)):.2f} dB, "
        f"F0 {CENTS * np.sqrt(np.mean(pitch**2)):.1f} cents, "
        f"voicing of {np.count_nonzero(voicing)} of {len(error)} frames, "
        f"lengths of {unlike} of {lengths} phones, by {most} at most"
    )


if __name__ == "__main__":
    main()
