"""A run's folder stands for its best checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_train.run_files import checkpoint_of


def test_a_run_is_its_best_checkpoint(tmp_path: Path) -> None:
    for name in ("last.pt", "best.pt"):
        (tmp_path / name).touch()
    assert checkpoint_of(tmp_path) == tmp_path / "best.pt"


def test_what_is_no_run_is_left_as_it_is(tmp_path: Path) -> None:
    assert checkpoint_of(tmp_path) == tmp_path
    assert checkpoint_of(tmp_path / "best.pt") == tmp_path / "best.pt"
    for name in ("manifest.json", "best.pt", "last.pt"):
        (tmp_path / name).touch()
    assert checkpoint_of(tmp_path) == tmp_path, "a model directory"


def test_a_run_that_was_stopped_before_its_best_names_both_ways(tmp_path: Path) -> None:
    (tmp_path / "last.pt").touch()
    with pytest.raises(WavestepError) as told:
        checkpoint_of(tmp_path)
    assert str(told.value) == (
        f"{tmp_path} has no best.pt yet (training was stopped before its first validation); give "
        f"{tmp_path}/last.pt, or go on with wn-train DATA -o {tmp_path} --resume"
    )
