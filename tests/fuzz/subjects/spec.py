"""`wn-targets fit` on a spec in JSON."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case
from tests.fuzz.subjects.subject import Subject, edited, invocations
from tests.fuzz.world import World


def spec(world: World) -> SearchStrategy[Case]:
    """Changes of its structure, its bytes, its place."""
    document = json.loads((world.root / "spec.json").read_text("utf-8"))
    one = st.one_of(
        edits.structure(document, "spec.json"),
        edits.structure(document, "spec.json"),
        edits.raw("spec.json"),
        edits.place("spec.json"),
    )
    words = invocations(
        ("wn-targets", "fit", "spec.json"),
        ("wn-targets", "fit", "spec.json", "--json", "--all"),
        ("wn-targets", "fit", "spec.json", "t4", "--streams", "3", "--rate", "16000"),
    )
    return edited("spec", words, st.lists(one, min_size=1, max_size=3), "spec.json")


SUBJECTS = (Subject("spec", spec),)
