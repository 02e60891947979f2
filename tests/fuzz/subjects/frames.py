"""A model of frames: its directory, the frames it is given, from files and on stdin."""

from __future__ import annotations

import dataclasses
import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.mutate import npz
from tests.fuzz.subjects.subject import Subject, edited, invocations, mended
from tests.fuzz.world import World

_INPUTS = ("vocoder", "vocoder.pt", "frames.npy", "clip.wav")
_RUN = ("wn-run", "vocoder", "--frames", "frames.npy", "-o", "out.wav")
_CLIP = ("--audio", "clip.wav", "--frames", "frames.npy")
_FOLLOWING = (
    _RUN,
    (*_RUN, "--engine", "onnx"),
    (*_RUN, "--engine", "native", "--precision", "fp32"),
    (*_RUN, "--engine", "onnx", "--seconds", "0.1", "--speaker", "eve"),
    ("wn-run", "vocoder", "--engine", "onnx", "--batch", "2", "--frames",
     "frames.npy,frames.npy", "--raw", "out.raw"),
)  # fmt: skip
_PROVING = (
    ("wn-parity", "vocoder", "--engine", "onnx", "--json", "p.json"),
    ("wn-export", "vocoder"),
    ("wn-export", "vocoder.pt", "-o", "made", *_CLIP),
    ("wn-parity", "vocoder", "--checkpoint", "vocoder.pt", *_CLIP),
)
_READING = (("wn-inspect", "vocoder"), ("wn-targets", "fit", "vocoder", "nano"))


def frames(world: World) -> SearchStrategy[Case]:
    """A file of frames: other bytes, another array, something else in its place."""
    at = "frames.npy"
    changed = st.sampled_from(sorted(npz.CHANGES)).map(
        lambda change: Edit("frames.array", at, {"change": change})
    )
    one = st.one_of(changed, changed, edits.raw(at), edits.place(at))
    lines = invocations(*_FOLLOWING * 2, *_PROVING[2:])
    return edited("frames", lines, st.lists(one, min_size=1, max_size=2), *_INPUTS)


def rows(world: World) -> SearchStrategy[Case]:
    """Rows on stdin, cut short, not finite, or none at all."""
    at = "frames.raw"
    live = ("wn-run", "vocoder", "--engine", "onnx", "--frames", "-")
    lines = invocations((*live, "-o", "out.wav"), (*live, "--raw", "-"), (*live, "--batch", "2"))
    cases = edited("rows", lines, st.lists(edits.raw(at), max_size=3), "vocoder", at)
    return cases.map(lambda case: dataclasses.replace(case, streams={"stdin": at}))


def vocoder(world: World) -> SearchStrategy[Case]:
    """Its manifest, the frames in its reference, its files."""
    manifest, reference = "vocoder/manifest.json", "vocoder/reference.npz"
    document = json.loads((world.root / manifest).read_text("utf-8"))
    of_frames = [name for name in npz.names(world.root / reference) if "frames" in name]
    array = st.builds(
        lambda name, change: Edit("npz.array", reference, {"name": name, "change": change}),
        st.sampled_from(of_frames),
        st.sampled_from(sorted(npz.CHANGES)),
    )
    files = st.sampled_from(["weights.safetensors", "conditioner.onnx", "step.onnx"])
    one = st.one_of(
        edits.structure(document, manifest),
        edits.structure(document, manifest),
        array,
        array,
        files.flatmap(lambda name: edits.raw(f"vocoder/{name}")),
    )
    lines = invocations(*_FOLLOWING * 2, *_READING * 2, *_PROVING[:2] * 2, _PROVING[3])
    changed = st.lists(one, min_size=1, max_size=2)
    return edited("vocoder", lines, mended(changed, model="vocoder"), *_INPUTS)


SUBJECTS = (
    Subject("frames", frames, ("onnx",)),
    Subject("rows", rows, share=1, brief=2),
    Subject("vocoder", vocoder, ("onnx",)),
)
