"""Canonical weights: exactly the spec's, or one line that names the one that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from tests.models import specs
from wn_runtime.errors import WavestepError
from wn_runtime.model import weights

SPEC = specs.CORNERS["two_conditions"]
Table = dict[str, NDArray[np.float32]]


@pytest.fixture
def table() -> Table:
    return specs.random_weights(SPEC)


def test_weights_come_back_as_they_were(tmp_path: Path, table: Table) -> None:
    save_file(table, tmp_path / "w")
    loaded = weights.parse((tmp_path / "w").read_bytes(), SPEC, "w")
    assert loaded.keys() == table.keys()
    assert all(np.array_equal(loaded[name], table[name]) for name in table)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.pop("skip.bias"), "weight 'skip.bias' is missing"),
        (lambda t: t.update(more=np.zeros(1, np.float32)), "'more' does not belong"),
        (lambda t: t.update({"skip.bias": t["skip.bias"][1:]}), r"'skip.bias' is float32 \(7,\)"),
        (lambda t: t.update({"skip.bias": t["skip.bias"].astype("f8")}), "is float64"),
        (lambda t: t["skip.bias"].fill(np.nan), "'skip.bias' holds NaN"),
    ],
)
def test_weights_of_another_shape_are_named(
    tmp_path: Path, table: Table, spoil: Callable[[Table], object], message: str
) -> None:
    spoil(table)
    save_file(table, tmp_path / "w")
    with pytest.raises(WavestepError, match=message):
        weights.parse((tmp_path / "w").read_bytes(), SPEC, "w")


def test_a_truncated_file_is_told(tmp_path: Path, table: Table) -> None:
    path = tmp_path / "w"
    save_file(table, path)
    data = path.read_bytes()
    for keep in (0, 5, len(data) - 1):
        path.write_bytes(data[:keep])
        with pytest.raises(WavestepError, match="cannot be read"):
            weights.parse(path.read_bytes(), SPEC, "w")


def test_an_element_type_that_numpy_has_none_of_is_told(table: Table) -> None:
    header = b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    with pytest.raises(WavestepError, match="w cannot be read"):
        weights.parse(len(header).to_bytes(8, "little") + header + b"12", SPEC, "w")
