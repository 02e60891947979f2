"""A subject, and the ways to run commands on a model directory that several subjects share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.case import Case, Edit
from tests.fuzz.commands import available
from tests.fuzz.world import World


@dataclass(frozen=True)
class Subject:
    """One class of cases."""

    name: str
    cases: Callable[[World], SearchStrategy[Case]]
    needs: tuple[str, ...] = ()
    """Packages without which it is left out."""
    share: int = 2
    """How many of the cases of a campaign, relative to the others'."""
    brief: int = 3
    """How many of them `make test` has."""


RUN = ("wn-run", "voice", "--seconds", "0.05", "-o", "out.wav")
READERS: tuple[tuple[str, ...], ...] = (
    (*RUN, "--engine", "onnx"),
    (*RUN, "--engine", "onnx", "--precision", "fp16", "--speaker", "eve"),
    (*RUN, "--engine", "native", "--precision", "fp32"),
    RUN,
    ("wn-run", "voice", "--seconds", "0.05"),
    ("wn-run", "voice", "--seconds", "0.05", "--raw", "-", "--set", "mood=calm+loud"),
    ("wn-inspect", "voice"),
    ("wn-inspect", "voice", "--json"),
    ("wn-inspect", "voice/step.onnx"),
    ("wn-targets", "fit", "voice", "orin-nano-8gb"),
    ("wn-targets", "fit", "voice", "--json"),
)
PROVERS: tuple[tuple[str, ...], ...] = (
    ("wn-parity", "voice", "--engine", "onnx", "--json", "parity.json"),
    ("wn-parity", "voice"),
    ("wn-export", "voice"),
    ("wn-export", "voice", "-o", "made", "--fp16"),
    ("wn-bench", "voice", "--seconds", "0.01", "--json", "bench.json"),
)
"""These take a second each."""


def invocations(*choices: Sequence[str]) -> SearchStrategy[tuple[str, ...]]:
    """Those whose commands are here."""
    here = available()
    return st.sampled_from([tuple(words) for words in choices if words[0] in here])


def on_voice() -> SearchStrategy[tuple[str, ...]]:
    """Any command on the model directory `voice`, the quick ones more often."""
    return invocations(*READERS * 4, *PROVERS)


def edited(
    subject: str,
    words: SearchStrategy[tuple[str, ...]],
    edits: SearchStrategy[Sequence[Edit]],
    *inputs: str,
    environment: SearchStrategy[dict[str, str | None]] | None = None,
) -> SearchStrategy[Case]:
    """Cases of these command lines after these edits."""
    return st.builds(
        lambda line, changed, given: Case(
            subject, line[0], line[1:], inputs, tuple(changed), given
        ),
        words,
        edits,
        st.just({}) if environment is None else environment,
    )


def mended(
    edits: SearchStrategy[Sequence[Edit]], always: bool = False, model: str = "voice"
) -> SearchStrategy[list[Edit]]:
    """The edits, and mostly the checksums of `model` brought in line with them."""
    mend = st.just([Edit("manifest.mend", model)])
    return st.builds(
        lambda changed, tail: [*changed, *tail],
        edits,
        mend if always else mend | mend | st.just([]),
    )


def with_inputs(cases: SearchStrategy[Case], *inputs: str) -> SearchStrategy[Case]:
    """The same cases with more beside."""
    return cases.map(lambda case: dataclasses.replace(case, inputs=(*case.inputs, *inputs)))
