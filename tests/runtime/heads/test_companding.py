"""mu-law that floors, and amplitudes that lie on the curve."""

from __future__ import annotations

import numpy as np
import pytest

from wn_runtime.heads import companding, mulaw, mulaw_floor, pcm16
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax


def test_flooring_is_the_class_at_or_below() -> None:
    """As nnmnkwii quantises: (y + 1) / 2 · mu, cut off."""
    audio = np.linspace(-1, 1, 1001)
    curve = np.sign(audio) * np.log(1 + 255 * np.abs(audio)) / np.log(256)
    expected = ((curve + 1) / 2 * 255).astype(np.int64)
    assert np.array_equal(mulaw_floor.encode(audio, 256), expected)
    assert mulaw_floor.encode(np.zeros(1), 256)[0] == mulaw_floor.silence(256) == 127
    assert np.array_equal(mulaw_floor.encode(np.array([-2.0, 2.0]), 256), [0, 255])


def test_classes_sound_the_same_whichever_way_they_were_rounded() -> None:
    classes = np.arange(256)
    assert np.array_equal(mulaw_floor.decode(classes, 256), mulaw.decode(classes, 256))
    floored, nearest = Softmax(256, "mu-law-floor"), Softmax(256)
    assert (floored.silence, nearest.silence) == (127, 128)
    assert not np.array_equal(floored.levels(classes), nearest.levels(classes))


def test_the_curve_has_an_inverse() -> None:
    x = np.linspace(-1, 1, 101)
    np.testing.assert_allclose(
        companding.expanded(companding.compressed(x, 255), 255), x, atol=1e-12
    )


@pytest.mark.parametrize("head", [Logistic(3, mu=255), Gaussian(1, mu=255)])
def test_a_mixture_on_the_curve(head: Logistic | Gaussian) -> None:
    audio = np.linspace(-1, 1, 501)
    samples = head.encode(audio)
    np.testing.assert_allclose(samples, companding.compressed(audio, 255), atol=pcm16.STEP)
    np.testing.assert_allclose(head.decode(samples), audio, atol=1e-3)
    levels = head.levels(samples)
    assert levels[250] == 1  # near silence steps are finer than 16 bits'
    assert levels[1] == levels[-2] == 6  # ln(256) · |x|, rounded
    assert (np.diff(levels[250:]) >= -1).all()
    with pytest.raises(ValueError, match="mu is 65536; it must be 0"):
        type(head)(mu=65536)
