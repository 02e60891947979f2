"""A model of tags: those asked for, and its own."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case
from tests.fuzz.hostile import TEXTS
from tests.fuzz.subjects.subject import RUN, Subject, edited, mended
from tests.fuzz.world import World

_SETTINGS = ("mood=calm", "mood=calm+loud", "mood=", "speaker=eve", "mood=calm,loud", "mood=+")


def tags(world: World) -> SearchStrategy[Case]:
    """`--tag` of any words beside `--set`, of a model whose conditions may be others."""
    tag = st.sampled_from(["calm", "loud", "calm+loud", "+", "0", "ann"]) | st.sampled_from(TEXTS)
    asked = st.lists(tag.map(lambda word: ["--tag", word]), min_size=1, max_size=3)
    given = st.lists(st.sampled_from(_SETTINGS).map(lambda word: ["--set", word]), max_size=1)
    model = st.sampled_from(["voice", "voice", "vocoder"])
    lines = st.builds(
        lambda name, more, others: (
            RUN[0],
            name,
            *RUN[2:],
            "--engine",
            "onnx",
            *(word for pair in [*more, *others] for word in pair),
        ),
        model,
        asked,
        given,
    )
    at = "voice/manifest.json"
    document = json.loads((world.root / at).read_text("utf-8"))
    conditions = {"spec": {"conditioning": document["spec"]["conditioning"]}}
    changed = st.lists(edits.structure(conditions, at), max_size=1)
    return edited("tags", lines, mended(changed), "voice", "vocoder")


SUBJECTS = (Subject("tags", tags, share=1),)
