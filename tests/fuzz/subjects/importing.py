"""Other projects' checkpoints, their settings and their answers, given to wn-import."""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.mutate import npz
from tests.fuzz.subjects.checkpoint import changes
from tests.fuzz.subjects.subject import Subject, edited, invocations
from tests.fuzz.world import World

_IMPORT = ("wn-import", "theirs.pth", "--hparams", "hparams.json", "-o", "mine.pt")
_LINES = (
    _IMPORT,
    _IMPORT,
    (*_IMPORT, "--from", "r9y9", "--alignment", "training"),
    (*_IMPORT, "--from", "ibab"),
    (*_IMPORT, "--statistics", "meanvar.npz", "--set", "stacks=1"),
)
_INPUTS = ("theirs.pth", "hparams.json", "meanvar.npz", "answers.npz")


def foreign(world: World) -> SearchStrategy[Case]:
    """The checkpoint: what is in it, the archive around it, its bytes."""
    changed = changes(world, "theirs.pth")
    return edited("foreign", invocations(*_LINES), changed, *_INPUTS)


def settings(world: World) -> SearchStrategy[Case]:
    """Its settings."""
    document = json.loads((world.root / "hparams.json").read_text("utf-8"))
    one = st.one_of(
        edits.structure(document, "hparams.json"),
        edits.structure(document, "hparams.json"),
        edits.raw("hparams.json"),
        edits.place("hparams.json"),
    )
    changed = st.lists(one, min_size=1, max_size=3)
    return edited("settings", invocations(*_LINES), changed, *_INPUTS)


def answers(world: World) -> SearchStrategy[Case]:
    """What --verify and --statistics are given."""
    lines = invocations((*_IMPORT, "--verify", "answers.npz", "--statistics", "meanvar.npz"))

    def of(at: str) -> SearchStrategy[Edit]:
        array = st.builds(
            lambda name, change: Edit("npz.array", at, {"name": name, "change": change}),
            st.sampled_from(npz.names(world.root / at)),
            st.sampled_from(sorted(npz.CHANGES)),
        )
        return st.one_of(array, array, edits.raw(at), edits.place(at))

    one = st.one_of(of("answers.npz"), of("answers.npz"), of("meanvar.npz"))
    return edited("answers", lines, st.lists(one, min_size=1, max_size=2), *_INPUTS)


SUBJECTS = (
    Subject("foreign", foreign, ("torch", "onnx"), share=3),
    Subject("settings", settings, ("torch", "onnx"), brief=2),
    Subject("answers", answers, ("torch", "onnx"), brief=2),
)
