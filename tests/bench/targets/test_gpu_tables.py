"""The tables of docs/cuda.md are what the model says today."""

from __future__ import annotations

import pytest

from bench.repository import ROOT
from bench.targets import gpu_tables
from wn_targets.devices.catalogue import find
from wn_targets.models.fit import fit
from wn_targets.presets import PRESETS

PAGE = ROOT / "docs/cuda.md"


@pytest.mark.slow
def test_the_page_has_todays_predictions() -> None:
    between = PAGE.read_text("utf-8").split(gpu_tables.BEGIN)[1].split(gpu_tables.END)[0]
    assert between.strip() == gpu_tables.text().strip(), (
        "run python -m bench.targets.gpu_tables --write docs/cuda.md"
    )


def test_the_floor_is_below_every_prediction() -> None:
    for row in gpu_tables.table()[2:]:
        share = float(row.split("|")[6].strip().removesuffix(" %"))
        assert 0 < share < 100, row


@pytest.mark.parametrize("name", ["orin-nano-8gb", "h200"])
def test_one_stream_more_than_the_most_is_not_in_real_time(name: str) -> None:
    target, spec = find(name), PRESETS[gpu_tables.MODEL]
    most = gpu_tables.most_in_real_time(spec, target)

    def enough(streams: int) -> bool:
        chosen = fit(spec, target, streams).chosen
        return chosen is not None and chosen.samples_per_second >= gpu_tables.RATE

    assert enough(most)
    assert not enough(most + 1)
