"""The tables of docs/cuda.md are what the model says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import cuda_model
from wn_targets.devices.catalogue import find
from wn_targets.models.fit import fit
from wn_targets.presets import PRESETS

PAGE = Path(__file__).parents[2] / "docs" / "cuda.md"


@pytest.mark.slow
def test_the_page_has_todays_predictions() -> None:
    between = PAGE.read_text("utf-8").split(cuda_model.BEGIN)[1].split(cuda_model.END)[0]
    assert between.strip() == cuda_model.text().strip(), (
        "run python -m bench.cuda_model --write docs/cuda.md"
    )


def test_the_floor_is_below_every_prediction() -> None:
    for row in cuda_model.table()[2:]:
        share = float(row.split("|")[6].strip().removesuffix(" %"))
        assert 0 < share < 100, row


@pytest.mark.parametrize("name", ["orin-nano-8gb", "h200"])
def test_one_stream_more_than_the_most_is_not_in_real_time(name: str) -> None:
    target, spec = find(name), PRESETS[cuda_model.MODEL]
    most = cuda_model.most_in_real_time(spec, target)

    def enough(streams: int) -> bool:
        chosen = fit(spec, target, streams).chosen
        return chosen is not None and chosen.samples_per_second >= cuda_model.RATE

    assert enough(most)
    assert not enough(most + 1)
