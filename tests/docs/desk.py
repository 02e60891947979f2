"""What the commands of the pages are given: small things, under the names that they have there.

A model of the pages is whatever the line wants of it (`mine/` has tags where the line has --tag):
a template has one of each kind, made by our own commands; a line gets copies.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from tests.models.speaking import write_voice
from tests.train.importers.r9y9_model import R9y9, rounded, saved
from tests.train.recordings import RATE, tone

ROOT = Path(__file__).parents[2]
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
DICTIONARY = "seven S EH V AH N\nfour F AO R\ntwo T UW\n"
MEL, HOP = 80, 200
"""Of frames: as docs/local-conditioning.md has them."""
SMALL = """\
name = "choir"
[model]
cycle = 4
layers = 3
residual_channels = 8
skip_channels = 8
head_channels = 8
[data]
chunk_seconds = 0.1
conditions = ["{}"]
[training]
batch_samples = 3000
sample_every = 0
"""
FRAMES = """
[model.frames]
hidden = 8
kernels = [3]
"""
_SECONDS = 0.6

Command = Callable[[str], object]
"""Runs a command line in the current directory; it must succeed."""


def make(template: Path, run: Command) -> None:
    """One of each kind, into the current directory, `template`."""
    _recordings(template / "data")
    _theirs(template)
    write_voice(template / "speaking", DICTIONARY, SPEAKERS)
    run(f"wn-features data -o framed --mel {MEL} --pitch --hop {HOP}")
    run("wn-features data -o phones --text words --mel 4 --level --pitch")
    run("python examples/music/make.py music --clips 3")
    for corpus, condition in (("data", "speaker"), ("framed", "speaker"), ("music", "tags")):
        frames = FRAMES if corpus == "framed" else ""
        (template / "small.toml").write_text(SMALL.format(condition) + frames)
        run(f"wn-train {corpus} -o runs/{corpus} --config small.toml --steps 2")
        run(f"wn-export runs/{corpus} -o {corpus}-model")
    run("wn-export data-model -o compiled --target cpu")


def lay_out(template: Path, line: str, page: Path) -> None:
    """Fill the current directory with what a line of a page names."""
    here = Path()
    kind = _kind(line, page.name)
    model, run = {
        "voice": ("speaking", "data"),
        "frames": ("framed-model", "framed"),
        "tags": ("music-model", "music"),
        "code": ("compiled", "data"),
        "plain": ("data-model", "data"),
    }[kind]
    for name in ("mine", "voice", "digits", "student", "stranger", "tiny", "music-model"):
        shutil.copytree(template / model, here / name)
    for name in ("mine", "student", "music", "tiny"):
        shutil.copytree(template / "runs" / run, here / "runs" / name)
    shutil.copy2(here / "runs/mine/best.pt", here / "mine.pt")
    for corpus in ("data", "framed", "music"):
        made = "phones" if (corpus, page.name) == ("framed", "text-to-speech.md") else corpus
        shutil.copytree(template / made, here / corpus)
    if kind == "frames":  # with the recordings, not beside them
        shutil.copytree(here / "framed", here / "data", dirs_exist_ok=True)
        table = here / "data/metadata.csv"
        table.write_text(table.read_text().replace("../data/", ""))
    configured = re.search(r"^```toml\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
    if configured:
        quick = re.sub("^steps = .*", "steps = 5", configured[1], flags=re.M)
        (here / "mine.toml").write_text(quick, "utf-8")
    for name in ("theirs.pth", "hparams.json", "vectors.npz", "meanvar.npz"):
        shutil.copy2(template / name, here)
    recording = next((here / "data").rglob("*.wav"))
    for name in ("a.wav", "held-back.wav"):
        shutil.copy2(recording, here / name)
    frames = sorted((here / "framed").rglob("*.npy"))[0]
    for name in ("a.npy", "b.npy", "mel.npy"):
        shutil.copy2(frames, here / name)
    np.load(frames).astype("<f4").tofile(here / "frames.raw")


def clear(line: str) -> None:
    """Take away what the line makes, if it is not to go on with it."""
    words = shlex.split(line)
    if "-o" in words and "--resume" not in words:
        made = Path(words[words.index("-o") + 1])
        if made.is_dir():
            shutil.rmtree(made)
        else:
            made.unlink(missing_ok=True)


def _kind(line: str, page: str) -> str:
    words = line.replace("=", " ").split()
    if page == "local-conditioning.md" or "--frames" in words:
        return "frames"
    if "--tag" in words or "tags" in words or page == "tags.md":
        return "tags"
    if page == "safety.md":
        return "code"
    return "voice" if "--text" in words and "wn-run" in words else "plain"


def _recordings(folder: Path) -> None:
    """metadata.csv with tones as six speakers, and the words that they are taken for."""
    folder.mkdir()
    rows = ["file,speaker,words,split"]
    words = [line.split()[0] for line in DICTIONARY.splitlines()]
    for number in range(4 * len(SPEAKERS)):
        speaker, word = number % len(SPEAKERS), words[number % len(words)]
        pause = np.zeros(RATE // 10, np.float32)
        audio = np.concatenate([pause, tone(150 + 30 * speaker + number, _SECONDS), pause])
        noise = np.random.default_rng(number).normal(0, 1e-3, len(audio))
        soundfile.write(folder / f"{number}.wav", audio + noise, RATE)
        split = "valid" if number >= 3 * len(SPEAKERS) else "train"
        rows.append(f"{number}.wav,{SPEAKERS[speaker]},{word},{split}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")


def _theirs(folder: Path) -> None:
    """A small model of r9y9's, its settings, what it answers, and statistics of its frames."""
    import torch

    case = R9y9(cin=3, network="conv_in", pad=1, scales=(2, 2), gin=2, speakers=2)
    state, given = rounded(case.state()), case.inputs(12)
    torch.save(saved(state), folder / "theirs.pth")
    (folder / "hparams.json").write_text(json.dumps(case.hparams()), "utf-8")
    params = case.params(state, **given).astype(np.float32)
    np.savez(folder / "vectors.npz", **given, params=params)
    np.savez(folder / "meanvar.npz", mean=np.zeros(3), scale=np.ones(3))
