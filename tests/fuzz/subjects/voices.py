"""A voice that speaks: texts, dictionaries, the front end in its directory and its checkpoint."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.hostile import REALS
from tests.fuzz.mutate import tensors, words
from tests.fuzz.subjects.subject import Subject, edited, invocations, mended
from tests.fuzz.world import World

_RUN = ("wn-run", "speaking", "--engine", "onnx", "--speaker", "ann", "--seconds", "0.05",
        "-o", "out.wav")  # fmt: skip
_SAID = ("--text", "ta, at")
_MORE = ("--dictionary", "words.txt")
_READING = (
    (*_RUN, *_SAID),
    (*_RUN, *_SAID, *_MORE),
    (*_RUN, *_SAID, "--rate", "0.25"),
    (*_RUN[:4], "--batch", "2", "--speaker", "ann,bob", *_SAID, "--seconds", "0.02", "--raw", "-"),
    _RUN,
    ("wn-inspect", "speaking"),
    ("wn-inspect", "speaking", "--json"),
)
_PROVING = (
    ("wn-parity", "speaking", "--engine", "onnx", "--json", "p.json"),
    ("wn-export", "speaking"),
)
_NUMBERS = (float("nan"), float("inf"), 3.4e38, -3.4e38, 1e20, 1e-45, 0.0, -1.0)


def texts(world: World) -> SearchStrategy[Case]:
    """What is said: in a word, on stdin, at any rate, with more words."""
    text = st.sampled_from([words.TEXTS[name] for name in sorted(words.TEXTS)])
    given = text.filter(lambda each: len(each) < 100_000 and "\0" not in each)
    fine = st.sampled_from(["0.25", "4", "1"])
    usual: list[str] = []
    rates = st.just(usual) | (fine | st.sampled_from(REALS)).map(lambda rate: ["--rate", rate])
    more = st.sampled_from([[], list(_MORE), ["--batch", "2"], ["--batch", "64"]])
    said = given.map(lambda each: ["--text", each]) | st.just(["--text", "-"])
    lines = st.builds(lambda *parts: (*_RUN, *itertools.chain(*parts)), said, rates, more)
    stdin = st.sampled_from(sorted(words.TEXTS)).map(
        lambda what: Edit("words.said", "said.txt", {"what": what})
    )
    changed = st.builds(
        lambda said, broken, known: [said, *broken, *known],
        stdin,
        st.lists(edits.raw("said.txt"), max_size=1),
        st.lists(_dictionaries("words.txt"), max_size=1),
    )
    cases = edited("texts", lines, changed, "speaking", "words.txt", "said.txt")
    return cases.map(lambda case: dataclasses.replace(case, streams={"stdin": "said.txt"}))


def voices(world: World) -> SearchStrategy[Case]:
    """Its networks, its words, and what its manifest says of both."""
    networks, manifest = "speaking/speech.safetensors", "speaking/manifest.json"
    document = json.loads((world.root / manifest).read_text("utf-8"))
    of_voice = {key: document[key] for key in ("speech", "temperature")}
    name = st.sampled_from(tensors.names(world.root / networks))
    fill = st.builds(
        lambda n, v: Edit("tensors.fill", networks, {"name": n, "value": v}),
        name,
        st.sampled_from(_NUMBERS),
    )
    drop = name.map(lambda n: Edit("tensors.drop", networks, {"name": n}))
    fields = st.sampled_from(
        [("shape", "[0]"), ("shape", f"[{2**62}]"), ("dtype", '"F16"'), ("dtype", '"F8_E4M3"')]
    )
    header = st.builds(
        lambda n, f: Edit("tensors.header", networks, {"name": n, "key": f[0], "value": f[1]}),
        name,
        fields,
    )
    one = st.one_of(
        edits.structure(of_voice, manifest),
        edits.structure(of_voice, manifest),
        _sizes(manifest),
        fill,
        fill,
        drop | header | edits.raw(networks),
        _dictionaries("speaking/dictionary.txt"),
        _dictionaries("speaking/dictionary.txt"),
        edits.place(networks) | edits.place("speaking/dictionary.txt"),
    )
    lines = invocations(*_READING * 3, *_PROVING)
    changed = st.lists(one, min_size=1, max_size=2)
    cases = edited("voices", lines, mended(changed, model="speaking"), "speaking", "words.txt")
    return cases


def _dictionaries(at: str) -> SearchStrategy[Edit]:
    """Another dictionary, or other bytes in it."""
    changed = st.sampled_from(sorted(words.DICTIONARIES)).map(
        lambda what: Edit("words.dictionary", at, {"what": what})
    )
    return st.one_of(changed, changed, edits.raw(at))


def _sizes(at: str) -> SearchStrategy[Edit]:
    """A front end far larger than its file, or whose phones last for minutes."""
    speech: dict[str, tuple[Any, ...]] = {
        "channels": (0, 1, 2048, 2049, 2**63),
        "layers": (0, 16, 17, 10**9),
        "width": (2, 63, 65, -1),
        "speaker": ("", "x", "mood"),
        "speakers": ([], ["ann"], ["ann", "ann"], [str(i) for i in range(70_000)]),
        "gaps": (True, 1, None),
    }
    features: dict[str, tuple[Any, ...]] = {
        "sample_rate": (1, 8, 10**6, 10**9),
        "hop": (1, 2**16, 2**40, 0),
        "window": (2, 2**16, 2**40),
        "mel": (0, 1024, 10**9, -1),
        "phones": ([], ["sil"], ["sil", "T", "T"], [f"P{i}" for i in range(5000)]),
    }
    places = [(["speech", name], value) for name, values in speech.items() for value in values]
    places += [
        (["speech", "features", name], value) for name, values in features.items()
        for value in values
    ]  # fmt: skip
    return st.sampled_from(places).map(
        lambda t: Edit("structure.put", at, {"pointer": t[0], "value": json.dumps(t[1])})
    )


SUBJECTS = (Subject("texts", texts), Subject("voices", voices, share=3))
