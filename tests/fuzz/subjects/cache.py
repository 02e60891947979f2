"""What a command keeps for itself: measurements, compiled code, the list of what is trusted."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.sandbox import CACHE, TRUST
from tests.fuzz.subjects.subject import PROVERS, RUN, Subject, edited, invocations
from tests.fuzz.world import World

_RUNS = (RUN, (*RUN, "--engine", "native"), (*RUN, "--engine", "native", "--precision", "fp32"))


_TRUST_FILES = ("", "\n", "x\n", "\udcff\n", "a" * 64, "A" * 64 + "\n", "0" * 63 + "\n",
                "\0" * 64, "# words\n", "0" * 64 + " " * 100_000,
                ("0" * 64 + "\n") * 20_000)  # fmt: skip


def cache(world: World) -> SearchStrategy[Case]:
    """Damaged entries and measurements; the commands run all the same."""
    compiled = [
        f"../{CACHE}/{path.relative_to(world.root / 'wavestep')}"
        for path in sorted((world.root / "wavestep").rglob("*"))
    ]
    measured = f"../{CACHE}/measured.json"
    document = {"0 onnx fp32 1 1": 20.5, "0 native fp32 1 1": 2.5}
    file = st.sampled_from(compiled)
    one = st.one_of(
        edits.structure(document, measured),
        edits.raw(measured),
        file.flatmap(edits.place),
        edits.place(f"../{CACHE}"),
        st.sampled_from(
            [path for path in compiled if path.endswith(("so", "sha256"))] or compiled
        ).flatmap(edits.raw),
    )
    words = invocations(*_RUNS * 4, ("wn-doctor",), PROVERS[0], PROVERS[-1])
    return edited("cache", words, st.lists(one, min_size=1, max_size=2), "voice")


def trust(world: World) -> SearchStrategy[Case]:
    """The file of digests whose code may be loaded."""
    at = f"../{TRUST}"
    written = st.sampled_from(_TRUST_FILES).map(lambda text: Edit("raw.write", at, {"text": text}))
    one = st.one_of(
        written, edits.raw(at), edits.place(at), edits.place("../home/.local/share/wavestep")
    )
    words = invocations(
        (*RUN, "--engine", "native", "--precision", "int8"),
        (*RUN, "--trust", "voice"),
        ("wn-run", "--trust", "voice"),
        ("wn-inspect", "voice"),
        ("wn-inspect", "voice", "--json"),
        ("wn-doctor",),
        PROVERS[1],
    )
    compilers: list[dict[str, str | None]] = [{"CC": "/bin/false", "PATH": ""}, {}]
    compiler = st.sampled_from(compilers)
    return edited("trust", words, st.lists(one, min_size=1, max_size=2), "voice", "trusted",
                  environment=compiler)  # fmt: skip


SUBJECTS = (Subject("cache", cache), Subject("trust", trust))
