"""Whatever JSON can say, parsing it gives a value or a WavestepError: nothing gets behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tests.fuzz import edits
from tests.fuzz.anything import ANYTHING, BRIEF, GOOD, SHAPED, one_line, parsed
from tests.fuzz.case import Edit
from tests.fuzz.hostile import JSON
from tests.fuzz.mutate import structure
from tests.fuzz.world import SPEC
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.spec import ModelSpec


@BRIEF
@given(ANYTHING | SHAPED)
def test_a_spec_of_anything(data: object) -> None:
    spec = parsed(ModelSpec, data)
    if spec is not None:
        usable(spec)


@BRIEF
@given(ANYTHING | SHAPED | SHAPED.map(lambda changed: {**GOOD, **changed}))
def test_a_manifest_of_anything(data: object) -> None:
    parsed(Manifest, data)


@BRIEF
@given(SHAPED)
def test_a_good_spec_with_some_of_anything(changed: dict[str, Any]) -> None:
    spec = parsed(ModelSpec, {**SPEC.to_dict(), **changed})
    if spec is not None:
        usable(spec)


@BRIEF
@given(edits.structure(GOOD, "manifest.json"))
def test_a_manifest_file(tmp_path_factory: pytest.TempPathFactory, edit: Edit) -> None:
    folder = tmp_path_factory.mktemp("model")
    path = folder / "manifest.json"
    path.write_text(json.dumps(GOOD))
    getattr(structure, edit.how.split(".")[1])(path, **edit.values)
    try:
        manifest = manifests.read(folder)
    except WavestepError as error:
        one_line(error)
    else:
        usable(manifest.spec)


@pytest.mark.parametrize("name", JSON)
def test_a_hostile_value_everywhere(tmp_path: Path, name: str) -> None:
    for pointer in structure.pointers(GOOD):
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(GOOD))
        structure.put(path, pointer, f"@{name}")
        try:
            usable(manifests.read(tmp_path).spec)
        except WavestepError as error:
            one_line(error)


def usable(spec: ModelSpec) -> None:
    """What is behind the border need not check again: it gives answers, not exceptions."""
    assert spec.receptive_field > 0
    assert layout(spec)
    assert weights.shapes(spec)
    again = ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
