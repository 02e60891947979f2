"""What the files of a model directory hold, with their checksums right: it is read, not trusted."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.mutate import npz, tensors
from tests.fuzz.subjects.subject import PROVERS, RUN, Subject, edited, invocations, mended, on_voice
from tests.fuzz.world import World

_NUMBERS = ("nan", "inf", "-inf", "3.4e38", "1e-45", "0")


def weights(world: World) -> SearchStrategy[Case]:
    """weights.safetensors."""
    at = "voice/weights.safetensors"
    name = st.sampled_from(tensors.names(world.root / at))
    dtypes = st.sampled_from(['"F64"', '"F16"', '"BF16"', '"I32"', '"BOOL"', '"F8_E4M3"', '"x"'])
    shapes = st.sampled_from(["[]", "[0]", "[1]", "[-1]", f"[{2**62}, 4]", "[1.5]", "[1, 1, 1, 1]"])
    offsets = st.sampled_from(["[0, 0]", "[4, 0]", f"[0, {2**63}]", "[-4, 0]", "[0]", "[0, 4, 8]"])
    fields = st.one_of(
        st.tuples(st.just("dtype"), dtypes | edits.values()),
        st.tuples(st.just("shape"), shapes | edits.values()),
        st.tuples(st.just("data_offsets"), offsets | edits.values()),
        st.tuples(st.just(""), edits.values()),
    )
    one = st.one_of(
        st.builds(
            lambda n, f: Edit("tensors.header", at, {"name": n, "key": f[0], "value": f[1]}),
            name | st.just("__metadata__"),
            fields,
        ),
        st.builds(lambda n, v: Edit("tensors.fill", at, {"name": n, "value": v}), name,
                  st.sampled_from([float(text) for text in _NUMBERS])),
        st.builds(
            lambda n, to: Edit("tensors.rename", at, {"name": n, "to": to}), name, edits.keys()
        ),
        name.map(lambda n: Edit("tensors.drop", at, {"name": n})),
        st.sampled_from([0, 1, -1, 2**62, 10**9, 100]).map(
            lambda n: Edit("tensors.length", at, {"value": n})
        ),
    )  # fmt: skip
    changed = st.lists(one, min_size=1, max_size=2)
    return edited("weights", on_voice(), mended(changed), "voice")


def reference(world: World) -> SearchStrategy[Case]:
    """reference.npz."""
    at = "voice/reference.npz"
    name = st.sampled_from(npz.names(world.root / at))
    words = edits.structure(npz.document(world.root / at), at).map(
        lambda e: Edit("npz.words", at, {"how": e.how.split(".")[1], "values": e.values})
    )
    shapes = st.sampled_from([[2**40], [2**62, 2], [-1], [2**31, 0], [], [400 << 20]])
    arrays = st.builds(
        lambda n, change: Edit("npz.array", at, {"name": n, "change": change}),
        name,
        st.sampled_from(sorted(npz.CHANGES)),
    )
    one = st.one_of(
        arrays,
        arrays,
        arrays,
        words,
        words,
        name.map(lambda n: Edit("npz.drop", at, {"name": n})),
        st.builds(
            lambda n, shape, dtype: Edit(
                "npz.header", at, {"name": n, "shape": shape, "dtype": dtype}
            ),
            name,
            shapes,
            st.sampled_from(["<f4", "<i8", "|u1", "<U1", "|O", "<U400000000"]),
        ),
    )
    bomb = name.map(lambda n: [Edit("npz.bomb", at, {"name": n})])
    many = st.lists(one, min_size=1, max_size=3)
    changed = st.integers(0, 39).flatmap(lambda n: bomb if n == 0 else many)
    words_ = invocations(PROVERS[0], PROVERS[0], PROVERS[1], PROVERS[2])
    return edited("reference", words_, mended(changed, always=True), "voice")


def graphs(world: World) -> SearchStrategy[Case]:
    """step.onnx and conditioner.onnx."""
    from tests.fuzz.mutate.graph import CHANGES

    one = st.builds(
        lambda at, what: Edit("graph.change", f"voice/{at}", {"what": what}),
        st.sampled_from(["step.onnx", "step.onnx", "step.fp16.onnx", "conditioner.onnx"]),
        st.sampled_from(sorted(CHANGES)),
    )
    changed = st.lists(one, min_size=1, max_size=2)
    run = (*RUN, "--engine", "onnx")
    half = (*run, "--precision", "fp16")
    words = invocations(run, run, run, half, PROVERS[0], PROVERS[1], ("wn-inspect", "voice"), RUN)
    return edited("graphs", words, mended(changed, always=True), "voice")


def library(world: World) -> SearchStrategy[Case]:
    """Foreign machine code as an artifact: never loaded, whatever is asked."""
    engines = st.sampled_from(["native", "tensorrt", "onnx", "x"])
    files = st.sampled_from(
        ["native.int8.so", "native.fp32.so", "x.so", "engine.plan", "step.onnx"]
    )
    planted = st.builds(
        lambda file, engine, precision, batch: Edit(
            "library.plant",
            "voice",
            {"file": file, "engine": engine, "precision": precision, "batch": batch},
        ),
        files,
        engines | st.just("native"),
        st.sampled_from(["fp32", "int8", "bf16"]),
        st.sampled_from([1, 1, 1, 2, 0, -1]),
    )
    native = (*RUN, "--engine", "native")
    words = invocations(
        RUN, native, (*native, "--precision", "int8"), (*native, "--precision", "fp32"),
        ("wn-run", "voice/native.int8.so", "--seconds", "0.05", "-o", "out.wav"),
        ("wn-run", "voice/engine.plan", "--seconds", "0.05", "-o", "out.wav"),
        ("wn-inspect", "voice"), *PROVERS,
    )  # fmt: skip
    compilers: list[dict[str, str | None]] = [
        {"CC": "/bin/false"},
        {"CC": "/bin/true"},
        {"PATH": ""},
        {"CC": "gcc '"},
        {},
    ]
    return edited("library", words, planted.map(lambda edit: [edit]), "voice",
                  environment=st.sampled_from(compilers))  # fmt: skip


SUBJECTS = (
    Subject("weights", weights),
    Subject("reference", reference, ("onnx",), share=3, brief=2),
    Subject("graphs", graphs, ("onnx",), share=2),
    Subject("library", library, share=1),
)
