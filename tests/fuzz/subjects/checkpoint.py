"""Checkpoints, given to every command that reads one: wn-export, wn-parity, wn-bench, wn-train."""

from __future__ import annotations

import random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.subjects.subject import Subject, edited, invocations
from tests.fuzz.world import World

_SHARED = (
    ("wn-export", "voice.pt", "-o", "made"),
    ("wn-export", "voice.pt"),
    ("wn-export", "voice.pt", "-o", "made", "--raw-weights"),
    ("wn-export", "voice.pt", "-o", "made", "--audio", "clip.wav"),
    ("wn-parity", "voice", "--checkpoint", "voice.pt", "--engine", "onnx", "--json", "p.json"),
    ("wn-bench", "voice", "--checkpoint", "voice.pt", "--seconds", "0.01"),
    ("wn-run", "voice.pt"),
    ("wn-inspect", "voice.pt"),
    ("wn-inspect", "voice.pt", "--json"),
)
_FRAMED = (
    ("wn-export", "vocoder.pt", "-o", "made"),
    ("wn-export", "vocoder.pt", "-o", "made", "--audio", "clip.wav", "--frames", "frames.npy"),
    ("wn-export", "vocoder.pt", "-o", "made", "--audio", "clip.wav"),
    ("wn-inspect", "vocoder.pt"),
    ("wn-bench", "vocoder", "--checkpoint", "vocoder.pt", "--seconds", "0.01"),
)
_SPEAKING = (
    ("wn-export", "speaking.pt", "-o", "made"),
    ("wn-inspect", "speaking.pt"),
    (
        "wn-parity",
        "speaking",
        "--checkpoint",
        "speaking.pt",
        "--engine",
        "onnx",
        "--json",
        "p.json",
    ),
)
_RESUME = ("wn-train", "data", "-o", "run", "--config", "config.toml", "--steps", "2", "--resume",
           "--threads", "1")  # fmt: skip


def checkpoint(world: World) -> SearchStrategy[Case]:
    """A checkpoint to export, to prove against, to bench."""
    words = invocations(*_SHARED[:4], *_SHARED)
    changed = changes(world, "voice.pt")
    cases = edited("checkpoint", words, changed, "voice", "voice.pt", "clip.wav")
    framed = edited("checkpoint", invocations(*_FRAMED), changes(world, "vocoder.pt"),
                    "vocoder", "vocoder.pt", "clip.wav", "frames.npy")  # fmt: skip
    of_speech = changes(world, "speaking.pt", "speech")
    lines = invocations(*_SPEAKING)
    speaking = edited("checkpoint", lines, of_speech, "speaking", "speaking.pt")
    return cases | cases | framed | speaking


def resume(world: World) -> SearchStrategy[Case]:
    """A run's last.pt, to go on from."""
    changed = changes(world, "run/last.pt")
    return edited("resume", invocations(_RESUME), changed, "data", "run", "config.toml")


def changes(world: World, at: str, part: str = "") -> SearchStrategy[list[Edit]]:
    """Edits of a checkpoint. part: what of it is changed; empty: all."""
    from tests.fuzz.mutate.checkpoint import ARCHIVES, VALUES, pointers

    places = [place for place in pointers(world.root / at) if not part or place[:1] == [part]]
    outer = [place for place in places if len(place) < 3]
    deep = random.Random(0).sample(places, min(300, len(places)))
    put = st.builds(
        lambda pointer, value: Edit("checkpoint.put", at, {"pointer": pointer, "value": value}),
        st.sampled_from(outer) | st.sampled_from(places) | st.sampled_from(deep),
        st.sampled_from(sorted(VALUES)),
    )
    one = st.one_of(
        st.lists(put, min_size=1, max_size=2),
        st.lists(put, min_size=1, max_size=2),
        st.lists(put, min_size=1, max_size=2),
        st.sampled_from(ARCHIVES).map(lambda how: [Edit("checkpoint.archive", at, {"how": how})]),
        st.sampled_from(["plain", "legacy", "zip"]).map(
            lambda how: [Edit("checkpoint.code", at, {"how": how})]
        ),
        st.lists(edits.raw(at), min_size=1, max_size=2),
        edits.place(at).map(lambda edit: [edit]),
    )
    return one


SUBJECTS = (
    Subject("checkpoint", checkpoint, ("torch", "onnx"), share=4),
    Subject("resume", resume, ("torch",), share=2),
)
