"""Recordings with their words: label files and dictionaries given to wn-features."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.mutate import words
from tests.fuzz.subjects.subject import Subject, edited, invocations
from tests.fuzz.world import World

_LABELS = ("--labels", "spoken/labels")
_BASE = ("wn-features", "spoken", "-o", "framed", "--level", "--hop", "16")
_WORDS = ("--text", "text", "--dictionary", "spoken/words.txt")
_LINES = (
    (*_BASE, *_LABELS),
    (*_BASE, *_LABELS, *_WORDS),
    (*_BASE, *_LABELS, *_WORDS, "--all-words", "--mel", "4"),
    (*_BASE, *_LABELS, *_WORDS, "--join", "2", "--normalise"),
    (*_BASE, *_LABELS, "--join", "1000", "--seed", "-1"),
    (*_BASE, *_LABELS, "--text", "file", "--dictionary", "spoken/words.txt"),
)


def labelled(world: World) -> SearchStrategy[Case]:
    """Other labels, another dictionary, another table."""
    lab, known, table = "spoken/labels/0.lab", "spoken/words.txt", "spoken/metadata.csv"
    labels = st.sampled_from(sorted(words.LABELS)).map(
        lambda what: Edit("words.labels", lab, {"what": what})
    )
    dictionaries = st.sampled_from(sorted(words.DICTIONARIES)).map(
        lambda what: Edit("words.dictionary", known, {"what": what})
    )
    said = st.sampled_from(sorted(words.TEXTS)).map(
        lambda what: Edit("words.cell", table, {"what": what})
    )
    one = st.one_of(
        labels,
        labels,
        labels,
        dictionaries,
        dictionaries,
        said,
        st.sampled_from([lab, known, table]).flatmap(edits.raw),
        st.sampled_from([lab, known, table, "spoken/labels"]).flatmap(edits.place),
    )
    changed = st.lists(one, min_size=1, max_size=2)
    return edited("labelled", invocations(*_LINES), changed, "spoken")


SUBJECTS = (Subject("labelled", labelled),)
