"""The reference of manifest.json, from the dataclasses that read it."""

from __future__ import annotations

from collections.abc import Iterator

from wn_docs.fields import default_of, fields, type_of
from wn_runtime.model.manifest import Artifact, ConditionerRow, FileRecord, Manifest, ParityRow
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import StateArray

PARTS: dict[str, type] = {
    "manifest.json": Manifest,
    "`files`: a record for each": FileRecord,
    "`artifacts`": Artifact,
    "`parity`": ParityRow,
    "`conditioner_parity`": ConditionerRow,
    "`spec`": ModelSpec,
    "`state`: a record for each": StateArray,
}
MARK = "<!-- manifest -->"


def into(text: str) -> str:
    """The page with a table a part in the place of its mark."""
    assert MARK in text
    return text.replace(MARK, "\n".join(_sections()).strip())


def _sections() -> Iterator[str]:
    for title, cls in PARTS.items():
        if cls is not Manifest:
            yield from (f"### {title}", "")
        yield from ("| key | type | default | |", "|---|---|---|---|")
        for field in fields(cls):
            words = field.words.replace("|", r"\|")
            kind = type_of(field.type).replace("|", r"\|")
            yield f"| `{field.name}` | {kind} | {default_of(field.default)} | {words} |"
        yield ""
