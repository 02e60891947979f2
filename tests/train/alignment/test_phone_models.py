"""Phones by what they sound like: in their context where it was heard often, else anywhere."""

from __future__ import annotations

import numpy as np
import pytest

from wn_train.alignment.phone_models import STATES, fit, in_context


def test_a_phone_has_neighbours_and_silence_has_none() -> None:
    assert in_context(["sil", "S", "IH", "sil"]) == ["sil", "sil-S+IH", "S-IH+sil", "sil"]


def test_states_are_what_their_frames_were() -> None:
    rng = np.random.default_rng(0)
    states = np.repeat(np.arange(6), 400)
    means = rng.standard_normal((6, 4)) * 2
    x = (means[states] + 0.3 * rng.standard_normal((2400, 4))).astype(np.float32)
    bounds = np.arange(7) * 400
    models = fit([x], [["a", "b"]], [bounds])
    np.testing.assert_allclose(models.mean.reshape(6, 4), means, atol=0.06)
    np.testing.assert_allclose(models.stay, 1 - 1 / 400, atol=1e-2)
    named = models.scores(x, ["a", "b"]).argmax(axis=1)
    assert (named == states).mean() > 0.98


def test_a_score_is_the_gaussians_density_but_a_constant() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    models = fit([x], [["a"]], [np.array([0, 10, 20, 40])])
    mean, precision = models.mean[0], models.precision[0]
    off = x[:, None].astype(np.float64) - mean
    expected = 0.5 * (np.log(precision) - precision * off**2).sum(axis=2)
    np.testing.assert_allclose(models.scores(x, ["a"]), expected, rtol=1e-9)


def test_a_rare_context_leans_on_the_phone() -> None:
    often = np.full((600, 1), 1.0, np.float32)
    rare = np.full((6, 1), -1.0, np.float32)
    models = fit([often, rare], [["a", "b"], ["b", "a"]], [np.arange(7) * 100, np.arange(7)])
    common, seldom = models.index["-a+b"], models.index["b-a+"]
    assert models.mean[common] == pytest.approx(np.ones((STATES, 1)), abs=0.06)
    assert (models.mean[seldom] > 0.8).all()


def test_a_state_that_was_left_out_stays_finite() -> None:
    x = np.random.default_rng(2).standard_normal((30, 2)).astype(np.float32)
    bounds = np.array([0, 0, 0, 0, 10, 20, 30])
    models = fit([x], [["sil", "a"]], [bounds])
    for values in (models.mean, models.precision, models.stay):
        assert np.isfinite(values).all()
    assert np.isfinite(models.scores(x, ["sil", "a"])).all()
