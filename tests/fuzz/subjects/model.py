"""A model directory: its manifest's structure, and the bytes and the kind of each file in it."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case
from tests.fuzz.subjects.subject import Subject, edited, mended, on_voice
from tests.fuzz.world import World

FILES = (
    "manifest.json",
    "weights.safetensors",
    "step.onnx",
    "step.fp16.onnx",
    "conditioner.onnx",
    "reference.npz",
    "native.int8.so",
)


def manifest(world: World) -> SearchStrategy[Case]:
    """One to three changes of manifest.json."""
    document = json.loads((world.root / "voice" / "manifest.json").read_text("utf-8"))
    changed = st.lists(edits.structure(document, "voice/manifest.json"), min_size=1, max_size=3)
    return edited("manifest", on_voice(), changed, "voice")


def files(world: World) -> SearchStrategy[Case]:
    """Other bytes in a file, or something else in its place."""
    here = [f"voice/{name}" for name in FILES if (world.root / "voice" / name).exists()]
    each = st.sampled_from(here)
    in_place = each.flatmap(edits.place) | edits.place("voice")
    changed = st.lists(
        each.flatmap(edits.raw) | each.flatmap(edits.raw) | in_place, min_size=1, max_size=2
    )
    return edited("files", on_voice(), mended(changed), "voice")


SUBJECTS = (
    Subject("manifest", manifest, share=4, brief=6),
    Subject("files", files, share=3, brief=5),
)
