"""How many threads make one stream: measured, and more only where they are worth it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.law.numpy_engine import NumpyEngine
from tests.models.model_dir import write_model
from tests.models.specs import PLAIN, random_weights
from wn_runtime.engines import cores, measured
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.native import tune
from wn_runtime.model.package import ModelPackage


@pytest.mark.parametrize(
    ("us", "threads"),
    [
        ({1: 10.0}, 1),
        ({1: 10.0, 2: 9.0}, 1),
        ({1: 10.0, 2: 6.0}, 2),
        ({1: 10.0, 2: 6.0, 3: 5.9, 4: 5.8}, 2),
        ({1: 10.0, 2: 6.0, 3: 5.9, 4: 3.0}, 4),
        ({1: 10.0, 2: 20.0, 3: 5.0}, 3),
    ],
)
def test_more_threads_are_taken_where_they_are_faster_by_enough(
    us: dict[int, float], threads: int
) -> None:
    assert tune.worth(us) == threads


class Watched(NumpyEngine):
    closed = False

    def _close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("busy", [True, False])
def test_what_others_load_disturbed_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    monkeypatch.setattr(measured, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(cores, "usable", lambda: 3)
    monkeypatch.setattr(tune, "_WORTH_US", 0)
    monkeypatch.setattr(tune, "_busy", lambda: busy)
    monkeypatch.setattr(tune, "_TURN_US", 1)
    package = ModelPackage(write_model(tmp_path / "model", PLAIN))
    made: dict[int, Watched] = {}

    def opened(threads: int) -> Engine:
        made[threads] = Watched(PLAIN, random_weights(PLAIN), 1)
        return made[threads]

    chosen = tune.fastest(package, "int8", opened)
    assert sorted(made) == [1, 2, 3]
    assert [engine is chosen for engine in made.values() if not engine.closed] == [True]
    assert not chosen.snapshot()["delay_lines"].any()
    for threads in made:
        kept = measured.step_us(package, "native", "int8", 1, threads)
        assert (kept is None) if busy else (kept is not None and kept > 0)
