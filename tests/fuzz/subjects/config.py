"""wn-train's configuration in TOML: values that no network can have, and text that is no TOML."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz import edits
from tests.fuzz.case import Case, Edit
from tests.fuzz.hostile import TEXTS
from tests.fuzz.subjects.subject import Subject, edited, invocations
from tests.fuzz.world import World

TRAIN = ("wn-train", "data", "-o", "run", "--config", "config.toml", "--threads", "1")
_SMALL: dict[str, dict[str, float]] = {
    "model": {
        "cycle": 4,
        "layers": 3,
        "residual_channels": 8,
        "skip_channels": 8,
        "head_channels": 8,
    },
    "data": {"chunk_seconds": 0.02},
    "training": {
        "batch_samples": 1500,
        "validate_every": 1,
        "sample_every": 0,
        "sample_seconds": 0.005,
    },
}
"""A training of milliseconds, over which the odd values go."""
_NUMBERS = ("0", "-1", "1", "2", "3", "-0.0", "0.5", "1.5", "nan", "inf", "-inf", "1e308", "1e-320",
            "1_0", str(2**31), str(2**63 - 1), str(2**63), str(-(2**63) - 1), "1" + "0" * 320,
            "9" * 5000, "true", "0x10", "1979-05-27", "07:32:00")  # fmt: skip
_SHAPES = ("[]", "[1]", "[1, 2, 4]", "[0]", "[-1]", "[1.5]", "[[1]]", "{}", "{ kind = 1 }",
           "{ kind = 'softmax', classes = 0 }", "{ kind = 'softmax', classes = 2 }",
           "{ kind = 'softmax', classes = -5 }", "{ kind = 'softmax', classes = 4294967296 }",
           "{ kind = 'x' }", "[" * 5000 + "]" * 5000, "[" + "1," * 500 + "1]")  # fmt: skip
_BROKEN = ("[", "=", "[model", "a = ", "[model]\n[model]\n", "model = 1\n", "\ufeff",
           "a." * 5000 + "a = 1", "[a" + ".a" * 5000 + "]", 'name = "\\ud800"', "\udcff = 1",
           "x = " + "{a=" * 3000 + "1" + "}" * 3000, "\x00")  # fmt: skip


def config(world: World) -> SearchStrategy[Case]:
    """Keys of the configuration, read from its dataclasses, with odd values; or no TOML at all."""
    from wn_runtime.model import strict
    from wn_train.config import Config

    sections: dict[str, Any] = strict.plain(Config())
    tables = {name: list(value) for name, value in sections.items() if isinstance(value, dict)}
    words = invocations((*TRAIN, "--steps", "1"), (*TRAIN, "--steps", "2", "--preset", "tiny"))
    changed = _settings(tables).map(lambda text: [Edit("raw.write", "config.toml", {"text": text})])
    kept = edits.raw("config.toml") | edits.place("config.toml")
    return edited("config", words, changed | kept.map(lambda edit: [edit]), "data", "config.toml")


def _settings(tables: dict[str, list[str]]) -> SearchStrategy[str]:
    texts = st.sampled_from([json.dumps(text) for text in TEXTS if len(text) < 300])
    value = st.one_of(
        st.sampled_from(_NUMBERS), st.sampled_from(_NUMBERS), st.sampled_from(_SHAPES), texts
    )
    keys = [(table, key) for table, names in tables.items() for key in names]
    pairs = st.lists(st.tuples(st.sampled_from(keys), value), min_size=1, max_size=3)
    top = st.sampled_from(["name", "attribution", "model", "x"]).flatmap(
        lambda key: value.map(lambda text: f"{key} = {text}\n")
    )
    return st.one_of(pairs.map(_toml), pairs.map(_toml), top, st.sampled_from(_BROKEN))


def _toml(pairs: list[tuple[tuple[str, str], str]]) -> str:
    """The world's small settings with these over them."""
    given = dict(pairs)
    lines = []
    for table in ("model", "data", "training"):
        lines.append(f"[{table}]")
        mine = {key: json.dumps(value) for key, value in _SMALL[table].items()}
        mine |= {name: text for (where, name), text in given.items() if where == table}
        lines += [f"{name} = {text}" for name, text in mine.items()]
    return "\n".join(lines) + "\n"


SUBJECTS = (Subject("config", config, ("torch",), share=2),)
