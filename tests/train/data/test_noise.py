"""Noise in what is heard: as strong as asked, in proportion to loudness, never in the target."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wn_runtime.heads import companding
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax
from wn_train.data.noise import MU, heard

HEADS = [Softmax(256), Softmax(64), Softmax(256, "linear"), Gaussian()]
LOUDNESS = (0.0, 0.02, 0.5)


def windows(head: Head, rows: int = 64, length: int = 4000) -> torch.Tensor:
    """(rows, length) of one loudness each, turning from row to row."""
    audio = np.repeat(np.resize(LOUDNESS, rows)[:, None], length, axis=1)
    return (
        torch.from_numpy(head.encode(audio)).long()
        if head.codes
        else torch.from_numpy(head.encode(audio))
    )


@pytest.mark.parametrize("head", HEADS, ids=str)
def test_it_stays_what_the_head_takes(head: Head) -> None:
    samples = windows(head)
    before = samples.clone()
    noisy = heard(samples, head, 8.0, np.random.default_rng(0))
    assert noisy.dtype == samples.dtype
    assert noisy.shape == samples.shape
    assert torch.equal(samples, before), "what is to be predicted stays"
    assert head.check(noisy.numpy()).shape == samples.shape


@pytest.mark.parametrize("most", [4.0, 16.0])
def test_each_window_has_a_deviation_of_its_own_up_to_the_one_asked_for(most: float) -> None:
    head = Gaussian()
    noisy = heard(windows(head), head, most, np.random.default_rng(1)).numpy()
    curve = companding.compressed(noisy, MU) * MU / 2  # in classes
    deviations = curve.std(axis=1)
    assert 0.9 * most < deviations.max() < 1.05 * most
    assert deviations.min() < 0.15 * most
    for first in range(len(LOUDNESS)):  # of any loudness: in proportion to it
        assert deviations[first :: len(LOUDNESS)].mean() == pytest.approx(most / 2, rel=0.35)


def test_it_repeats_with_its_seed() -> None:
    head = Softmax(256)
    made = [heard(windows(head), head, 4.0, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
