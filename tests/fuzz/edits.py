"""Strategies of edits that fit any file, and of JSON values and of changes to a JSON document."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.case import Edit
from tests.fuzz.hostile import JSON, TEXTS
from tests.fuzz.mutate.structure import pointers

_places = st.floats(0, 1, exclude_max=True, width=32)
_lengths = st.sampled_from([1, 2, 4, 16, 100, 1000])
_hex = st.one_of(
    st.binary(min_size=1, max_size=8).map(bytes.hex),
    st.sampled_from(["00", "ff", "ff" * 4, "ff" * 8, "7fffffff", "00" * 64, "efbbbf", "80"]),
)
LINKS = ("/dev/zero", "/dev/null", "/dev/full", "/dev/stdin", "missing", "/proc/self/mem", "..")


def raw(at: str) -> SearchStrategy[Edit]:
    """One change of a file's bytes."""
    values: dict[str, dict[str, SearchStrategy[Any]]] = {
        "flip": {"at": _places, "mask": st.integers(1, 255)},
        "poke": {"offset": st.integers(0, 64), "value": _hex},
        "truncate": {"at": _places},
        "zero": {"at": _places, "length": _lengths},
        "insert": {"at": _places, "value": _hex},
        "double": {"at": _places, "length": _lengths},
        "splice": {"at": _places, "source": _places, "length": _lengths},
    }
    return st.one_of(
        [
            st.fixed_dictionaries(given).map(functools.partial(Edit, f"raw.{name}", at))
            for name, given in values.items()
        ]
    )


def place(at: str) -> SearchStrategy[Edit]:
    """Something else in its place."""
    plain = ("missing", "empty", "fifo", "unix_socket", "outside", "folder", "unreadable")
    return st.one_of(
        st.sampled_from([Edit(f"place.{name}", at) for name in plain]),
        st.sampled_from([Edit("place.link", at, {"to": to}) for to in (*LINKS, Path(at).name)]),
        st.sampled_from([Edit("place.huge", at, {"gigabytes": n}) for n in (1, 3, 50)]),
    )


def values() -> SearchStrategy[str]:
    """JSON text, or the name of a hostile one."""
    small = st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats()
        | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=5,
    )
    return st.sampled_from([f"@{name}" for name in JSON]) | small.map(json.dumps)


def keys() -> SearchStrategy[str]:
    """Names of keys."""
    return st.sampled_from([text for text in TEXTS if len(text) < 300]) | st.text(max_size=6)


def structure(document: Any, at: str) -> SearchStrategy[Edit]:
    """One change of a JSON document like this one."""
    where = st.sampled_from(pointers(document))
    put: dict[str, SearchStrategy[Any]] = {"pointer": where, "value": values()}
    shapes: dict[str, dict[str, SearchStrategy[Any]]] = {
        "put": put,
        "repeat": put,
        "drop": {"pointer": where},
        "add": {**put, "key": keys()},
        "rename": {"pointer": where, "key": keys()},
    }
    weights = ["put"] * 5 + ["repeat", "drop", "add", "rename"]
    return st.sampled_from(weights).flatmap(
        lambda name: st.fixed_dictionaries(shapes[name]).map(
            functools.partial(Edit, f"structure.{name}", at)
        )
    )
