"""Anything that JSON, TOML or a pickle of plain data can say, and what must parse it."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.fuzz.world import SPEC
from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_runtime.model.manifest import FORMAT

BRIEF = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.sampled_from([2**63, -(2**63) - 1, 10**320, math.inf, math.nan, "\ud800", "a\0", "../x"]),
)
ANYTHING = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=4),
    ),
    max_leaves=12,
)
FIELDS = (*SPEC.to_dict(), "kind", "name", "values", "files", "format", "classes")
SHAPED = st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6)
GOOD = {"format": FORMAT, "name": "voice", "spec": SPEC.to_dict(), "files": {}}


def one_line(error: WavestepError) -> None:
    """What a terminal can show as it is."""
    assert str(error).isprintable(), str(error)


def parsed(cls: type[Any], data: object) -> Any:
    """The value, or None for a WavestepError."""
    try:
        return strict.parse(cls, data, "here")
    except WavestepError as error:
        one_line(error)
        return None
