"""The clips of a checkpoint are audio of its head, with conditions and frames of its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.models.specs import small_spec
from tests.seams.toy_conditioners import Contour, ContourModule
from tests.train.checkpoint.made import Change, checkpoint_of, written
from wn_runtime.conditioning.registry import CONDITIONERS
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.checkpoint.clips import MOST_CLIPS, MOST_SAMPLES
from wn_train.conditioning.registry import MODULES

GOOD = {"speaker": "ann"}


def clips(*given: Any) -> Change:
    return lambda data: data.update(clips=list(given))


def clip(samples: Any = None, conditions: Any = None, **more: Any) -> Change:
    samples = torch.arange(5) if samples is None else samples
    conditions = GOOD if conditions is None else conditions
    return clips({"samples": samples, "conditions": conditions, **more})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(clips=3), "no list"),
        (lambda data: data.update(clips={}), "no list"),
        (clips(3), "clips[0]: it is no clip of conditions, samples"),
        (clips({}), "clips[0]: it is no clip of conditions, samples"),
        (clip(more=1), "it is no clip of conditions, samples"),
        (clip(frames=torch.zeros(2, 2)), "it is no clip of conditions, samples"),
        (clip([1, 2]), "samples are no row of int32"),
        (clip(torch.zeros(5)), "samples are no row of int32"),
        (clip(torch.zeros(5, 2, dtype=torch.int64)), "samples are no row of int32"),
        (clip(torch.zeros((), dtype=torch.int64)), "samples are no row of int32"),
        (clip(torch.zeros(0, dtype=torch.int64)), "a shape that is none"),
        (clip(torch.tensor([0, 16])), "samples are 0 to 16; this model's classes are 0 to 15"),
        (clip(torch.tensor([-1])), "samples are -1 to -1"),
        (clip(conditions=[]), "conditions are no table"),
        (clip(conditions={"speaker": 1}), "conditions are no names with values"),
        (clip(conditions={1: "ann"}), "conditions are no names with values"),
        (clip(conditions={"speeker": "ann"}), "condition 'speeker' is unknown"),
        (clip(conditions={"speaker": "anne"}), "speaker 'anne' is unknown"),
        (clip(conditions={"mood": "calm+loudd"}), "mood 'loudd' is unknown"),
        (clips(*[{"samples": torch.zeros(1), "conditions": {}}] * (MOST_CLIPS + 1)), "no list"),
        (
            clips(*[{"samples": torch.zeros(2**20, dtype=torch.uint8), "conditions": {}}] * 17),
            f"over {MOST_SAMPLES} samples",
        ),
    ],
)
def test_other_clips_are_one_line(tmp_path: Path, change: Change, message: str) -> None:
    path = written(tmp_path / "best.pt", change=change)
    with pytest.raises(WavestepError) as error:
        checkpoint.load(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(4, 2), (2, 2), (3, 3), (3,), (3, 2)])
def test_frames_are_as_many_as_the_samples_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setitem(CONDITIONERS, Contour.kind, Contour)
    monkeypatch.setitem(MODULES, Contour.kind, ContourModule)
    made = checkpoint_of(small_spec(conditioning=(Contour(),)))
    frames = np.zeros(shape, np.float32)
    made.clips = [{"samples": torch.arange(5), "conditions": {}, "frames": torch.tensor(frames)}]
    checkpoint.save(tmp_path / "best.pt", made)
    if shape == (3, 2):  # two of 4 samples for 5 of them, and one to look ahead at
        assert checkpoint.load(tmp_path / "best.pt").clips[0]["frames"].shape == shape
        return
    with pytest.raises(WavestepError, match=r"frames are no float32 numbers of shape \(3, 2\)"):
        checkpoint.load(tmp_path / "best.pt")
