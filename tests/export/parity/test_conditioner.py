"""conditioner.onnx is part of parity: what it computes is held against PyTorch's bias."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.export.engines import engines
from tests.export.references import reference_of
from tests.models import model_dir, specs
from wn_export.parity.conditioner import CONDITIONER, TOLERANCE, compare_conditioners
from wn_export.parity.expected import Reference
from wn_export.parity.prove import Proof, prove
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage

SPEC = specs.CORNERS["two_conditions"]
REFERENCE = reference_of(SPEC, conditions={"speaker": "eve", "mood": "calm+loud"})


@pytest.fixture(autouse=True)
def onnx_engine_only() -> Iterator[None]:
    with engines("onnx"):
        yield


@pytest.fixture(params=[1, 3])
def directory(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return model_dir.write_model(tmp_path / "voice", SPEC, batch=request.param)


def proof_of(directory: Path, reference: Reference = REFERENCE, engine: str | None = None) -> Proof:
    return prove(ModelPackage(directory), reference, lambda line: None, engine)


def with_graph_of_other_weights(directory: Path) -> Path:
    """Its conditioner.onnx is another model's, and the manifest vouches for it."""
    manifest = manifests.read(directory)
    batch = manifest.artifacts[0].batch
    other = model_dir.write_model(directory.parent / "other", SPEC, batch=batch, seed=9)
    (directory / CONDITIONER).write_bytes((other / CONDITIONER).read_bytes())
    manifests.write(directory, manifests.with_file(manifest, directory / CONDITIONER))
    return directory


def test_numpy_and_the_graph_are_both_proven(directory: Path) -> None:
    found = proof_of(directory)
    assert found.passed
    assert [(row.name, row.passed) for row in found.conditioners] == [
        ("numpy", True),
        ("onnx", True),
    ]


def test_a_graph_of_other_weights_fails_the_proof_and_no_engine(directory: Path) -> None:
    found = proof_of(with_graph_of_other_weights(directory))
    assert all(row.passed for row in found.rows), "engines take their bias from NumPy"
    assert [row.passed for row in found.conditioners] == [True, False]
    assert found.conditioners[1].max_error is not None
    assert found.conditioners[1].max_error > 0.1
    assert not found.passed


def test_a_value_that_was_not_given_is_none_to_the_graph_too(directory: Path) -> None:
    found = proof_of(directory, reference_of(SPEC, conditions={"mood": "loud"}))
    assert found.passed


@pytest.mark.parametrize(("factor", "passes"), [(0.9, True), (1.1, False)])
def test_the_tolerance_is_a_share_of_the_largest_bias(
    directory: Path, factor: float, passes: bool
) -> None:
    def spoilt(bias: np.ndarray) -> np.ndarray:
        changed = bias.copy()
        changed.flat[0] += TOLERANCE * factor * np.abs(bias).max()
        return changed

    predictions = tuple(
        dataclasses.replace(each, bias=spoilt(each.bias))
        for each in REFERENCE.predictions
        if each.bias is not None
    )
    reference = dataclasses.replace(REFERENCE, predictions=predictions)
    rows = compare_conditioners(ModelPackage(directory), reference)
    assert [row.passed for row in rows] == [passes, passes]


def test_one_engine_asked_for_by_name_is_proven_alone(directory: Path) -> None:
    assert proof_of(with_graph_of_other_weights(directory), engine="onnx").conditioners == ()


def test_a_model_without_conditions_has_no_rows(tmp_path: Path) -> None:
    directory = model_dir.write_model(tmp_path / "plain", specs.PLAIN)
    found = proof_of(directory, reference_of(specs.PLAIN))
    assert found.passed
    assert found.conditioners == ()


def test_a_graph_that_is_not_the_manifests_is_an_error(directory: Path) -> None:
    (directory / CONDITIONER).write_bytes(b"changed")
    with pytest.raises(WavestepError, match=r"conditioner\.onnx has 7 bytes"):
        proof_of(directory)
