"""What a command finds around it: streams, variables, limits, files named as modules, signals."""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.case import Case, Edit, Stop
from tests.fuzz.commands import available
from tests.fuzz.subjects.subject import PROVERS, READERS, RUN, Subject, edited, invocations
from tests.fuzz.world import World

_TRAIN = (
    "wn-train",
    "data",
    "-o",
    "run",
    "--config",
    "config.toml",
    "--steps",
    "1",
    "--threads",
    "1",
)
_EVERY = (
    *READERS * 4,
    *PROVERS,
    (*RUN[:-2], "-o", "-"),
    ("wn-bench", "voice", "--seconds", "0.01", "--json", "-"),
    ("wn-inspect", "missing"),
    ("wn-run", "voice", "--speaker", "nobody"),
    ("wn-doctor",),
    ("wn-doctor", "--json"),
    ("wn-targets",),
    ("wn-targets", "show", "nano"),
    ("wn-run", "--help"),
    ("wn-run", "voice", "--play"),
    ("wn-export", "voice.pt", "-o", "made"),
    _TRAIN,
)
_INPUTS = ("voice", "voice.pt", "data", "config.toml")
_HOMES = (
    None,
    "",
    "relative",
    "~",
    "~/x",
    "/nonexistent",
    "/dev/null",
    "/proc",
    "{work}/clip",
    "\udcff",
)
_VARIABLES: dict[str, tuple[str | None, ...]] = {
    "HOME": _HOMES,
    "XDG_CACHE_HOME": _HOMES,
    "XDG_DATA_HOME": _HOMES,
    "XDG_CONFIG_HOME": _HOMES,
    "TMPDIR": ("", "relative", "/nonexistent", "/dev/null", "/proc"),
    "PATH": (None, "", ".", "/nonexistent", "\udcff"),
    "CC": ("", " ", "gcc '", "/bin/true", "/bin/false", "cc -x", "nonexistent", "/dev/null", "echo",
           "sleep 60", "\udcff", "cat /dev/zero", "yes", "gcc -Wl,nothing", "~/cc"),
    "CFLAGS": ("-x",),
    "TERM": (None, "", "dumb", "xterm-256color", "\x1b"),
    "COLUMNS": ("0", "-1", "1", "x", "9" * 30),
    "LINES": ("0", "x"),
    "LANG": (None, "C", "POSIX", "de_DE.ISO-8859-1", "x"),
    "LC_ALL": ("C", "tr_TR.UTF-8", "x"),
    "PYTHONIOENCODING": ("ascii", "latin-1", "utf-16", "ascii:replace"),
    "NO_COLOR": ("1",),
    "TZ": ("x", "/dev/zero"),
    "OMP_NUM_THREADS": ("0", "-1", "x", "100000"),
    "CUDA_VISIBLE_DEVICES": ("-1", "x"),
    "_WN_RUN_COMPLETE": ("bash_source", "x"),
    "WORLD_SIZE": ("2", "x"),
    "RANK": ("0", "x"),
    "LOCAL_RANK": ("x",),
    "MASTER_ADDR": ("x",),
}  # fmt: skip
PLANTED = ("json", "wn_runtime", "wn_export", "wn_train", "sitecustomize", "usercustomize", "numpy",
           "onnxruntime", "torch", "tensorrt", "encodings", "platform", "ctypes", "os")  # fmt: skip


def streams(world: World) -> SearchStrategy[Case]:
    """Closed and full streams, pipes that nobody reads, other encodings."""
    how = st.sampled_from(["closed", "full", "broken"])
    chosen = st.dictionaries(st.sampled_from(["stdin", "stdout", "stderr"]), how, max_size=3)
    encodings: list[dict[str, str | None]] = [
        {"PYTHONIOENCODING": encoding}
        for encoding in ("ascii", "latin-1", "ascii:strict", "cp1252")
    ]
    cases = edited("streams", invocations(*_EVERY), st.just([]), *_INPUTS,
                   environment=st.just({}) | st.sampled_from(encodings))  # fmt: skip
    return st.builds(
        lambda case, given, fresh: dataclasses.replace(case, streams=given, fresh=fresh == 0),
        cases,
        chosen,
        st.integers(0, 9),
    )


def environment(world: World) -> SearchStrategy[Case]:
    """One to three odd variables."""
    variable = st.sampled_from(sorted(_VARIABLES))
    pairs = variable.flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(_VARIABLES[name]))
    )
    cases = edited(
        "environment",
        invocations(*_EVERY, (*RUN, "--engine", "native", "--batch", "3")),
        st.just([]),
        *_INPUTS,
        environment=st.lists(pairs, min_size=1, max_size=3).map(dict),
    )
    return st.builds(
        lambda case, fresh: dataclasses.replace(case, fresh=fresh == 0), cases, st.integers(0, 4)
    )


def limits(world: World) -> SearchStrategy[Case]:
    """A disk that is full after some bytes, few open files, a small stack."""
    limit = st.one_of(
        st.sampled_from([0, 100, 1000, 4096, 10_000, 30_000, 100_000, 400_000]).map(
            lambda n: {"RLIMIT_FSIZE": n}
        ),
        # With fewer nobody can even list a folder to remove it: the next run clears that.
        st.integers(12, 60).map(lambda n: {"RLIMIT_NOFILE": n}),
        st.sampled_from([200, 400, 800]).map(lambda n: {"RLIMIT_DATA": n << 20}),
    )
    cases = edited(
        "limits", invocations(*_EVERY, RUN, (*RUN, "--batch", "40")), st.just([]), *_INPUTS
    )
    return st.builds(lambda case, given: dataclasses.replace(case, limits=given), cases, limit)


def planted(world: World) -> SearchStrategy[Case]:
    """Python files in the working directory that leave a mark when they are imported."""
    text = "import os\nopen(os.environ['WN_FUZZ_MARKER'], 'w').close()\n"
    one = st.builds(
        lambda name, folder: Edit("raw.write", f"{folder}{name}", {"text": text}),
        st.sampled_from(
            [*(f"{name}.py" for name in PLANTED), "torch/__init__.py", "wn_export/__init__.py"]
        ),
        st.sampled_from(["", "", "voice/"]),
    )
    export = ("wn-export", "voice.pt", "-o", "made")
    quick = (RUN, ("wn-inspect", "voice"), ("wn-targets", "fit", "voice"))
    words = invocations(*PROVERS, ("wn-doctor",), *quick, _TRAIN, export)
    cases = edited("planted", words, st.lists(one, min_size=1, max_size=4), *_INPUTS)
    return cases.map(lambda case: dataclasses.replace(case, fresh=case.command != "wn-train"))


def stops(world: World) -> SearchStrategy[Case]:
    """Signals, to what would go on without end and to what is nearly done."""
    endless = ("wn-run", "voice", "--seconds", "inf", "--engine", "onnx")
    words = [
        (*endless, "-o", "out.wav"),
        (*endless, "-o", "out.flac"),
        (*endless, "--raw", "-"),
        (*endless, "-o", "out.wav", "--batch", "3"),
        ("wn-bench", "voice", "--seconds", "1"),
        ("wn-export", "voice", "-o", "made"),
        ("wn-parity", "voice"),
        ("wn-doctor",),
        ("wn-inspect", "voice"),
    ]
    if "wn-train" in available():
        words += [(*_TRAIN[:-3], "100000", "--threads", "1")] * 3
    stop = st.builds(
        Stop,
        st.sampled_from(["SIGINT", "SIGTERM", "SIGHUP"]),
        st.integers(1, 200).map(lambda n: n / 100),
    )
    return st.builds(
        lambda case, stop: dataclasses.replace(case, stop=stop),
        edited("stops", invocations(*words), st.just([]), *_INPUTS),
        stop,
    )


SUBJECTS = (
    Subject("streams", streams),
    Subject("environment", environment),
    Subject("limits", limits, share=1),
    Subject("planted", planted, share=1, brief=1),
    Subject("stops", stops, share=1),
)
