"""Folders of recordings: metadata.csv, folder names, and the audio files."""

from __future__ import annotations

import csv
import io

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.hostile import TEXTS
from tests.fuzz.subjects.subject import Subject, edited, invocations
from tests.fuzz.world import World

TRAIN = (
    "wn-train",
    "data",
    "-o",
    "run",
    "--config",
    "config.toml",
    "--steps",
    "1",
    "--threads",
    "1",
)
FEATURES = ("wn-features", "data", "-o", "framed", "--mel", "4", "--level")
_names = st.sampled_from(TEXTS) | st.text(max_size=4)


def metadata(world: World) -> SearchStrategy[Case]:
    """Columns, values and bytes of metadata.csv."""
    table = st.builds(
        _table,
        st.lists(_names, max_size=3),
        st.lists(_names, min_size=1, max_size=4),
        st.booleans(),
    )
    written = table.map(lambda text: Edit("raw.write", "data/metadata.csv", {"text": text}))
    broken = st.sampled_from(["", "\n", "file\n", "a,b\n1,2\n", "\0", "file,file\n0.wav,1.wav\n",
                              '"', "file,speaker\n0.wav\n", "file,speaker\n0.wav,a,b\n", "\ufeff",
                              "file,split\n0.wav,test\n", "\udcff", "file\n/dev/zero\n",
                              "file\n../victim/notes.wav\n", "file,s\n" + "0.wav,\n" * 3,
                              'file,s\n0.wav,"' + "x" * 200_000 + '"\n'])  # fmt: skip
    one = st.one_of(
        written,
        written,
        broken.map(lambda text: Edit("raw.write", "data/metadata.csv", {"text": text})),
        edits.raw("data/metadata.csv"),
        edits.place("data/metadata.csv"),
    )
    return edited(
        "metadata",
        invocations(TRAIN, TRAIN, FEATURES),
        st.lists(one, min_size=1, max_size=2),
        "data",
        "config.toml",
    )


def folders(world: World) -> SearchStrategy[Case]:
    """No metadata.csv: the names of folders are speakers."""
    plain = [text for text in TEXTS if text and "/" not in text and len(text) < 100]
    names = st.sampled_from([text for text in plain if text not in (".", "..")])
    return edited(
        "folders",
        invocations(TRAIN, TRAIN, FEATURES),
        st.lists(names, min_size=1, max_size=3, unique=True).map(
            lambda chosen: [
                Edit("place.missing", "data/metadata.csv"),
                *(Edit("recording.speaker", "data", {"name": name}) for name in chosen),
            ]
        ),
        "data",
        "config.toml",
    )


def recordings(world: World) -> SearchStrategy[Case]:
    """Bytes of WAV and FLAC files, in a corpus and as audio for parity."""
    train = edited(
        "recordings",
        invocations(TRAIN, TRAIN, FEATURES),
        st.lists(_audio("data/0.wav") | _audio("data/3.wav"), min_size=1, max_size=2),
        "data",
        "config.toml",
    )
    files = ("clip.wav", "clip.flac")
    export = st.sampled_from(files).flatmap(
        lambda file: edited(
            "recordings",
            invocations(("wn-export", "voice.pt", "-o", "made", "--audio", file)),
            st.lists(_audio(file), min_size=1, max_size=2),
            "voice.pt",
            file,
        )
    )
    return train | train | export


def _audio(at: str) -> SearchStrategy[Edit]:
    odd = st.builds(
        lambda kind: Edit("recording.odd", at, {"kind": kind}),
        st.sampled_from(["nan", "inf", "loud", "no frames", "one frame", "channels", "rate 1",
                         "rate 655350", "float64", "8 bit", "mu-law", "other format", "text"]),
    )  # fmt: skip
    header = st.builds(
        lambda offset, value: Edit("raw.poke", at, {"offset": offset, "value": value}),
        st.sampled_from([0, 4, 8, 12, 16, 20, 22, 24, 28, 32, 34, 36, 40, 44]),
        st.sampled_from(
            ["00", "ffff", "ffffffff", "00000000", "00000080", "ffffff7f", "0300", "01000000"]
        ),
    )
    return st.one_of(odd, header, header, edits.raw(at), edits.place(at))


def _table(columns: list[str], values: list[str], split: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["file", *columns, *(["split"] if split else [])])
    for i in range(4):
        row = [values[(i + j) % len(values)] for j in range(len(columns))]
        writer.writerow([f"{i}.wav", *row, *([("valid", "train")[i % 2]] if split else [])])
    return text.getvalue()


SUBJECTS = (
    Subject("metadata", metadata, ("torch",)),
    Subject("folders", folders, ("torch",), share=1, brief=2),
    Subject("recordings", recordings, ("torch",), brief=2),
)
