"""A front end in JavaScript, asked what Python's is asked, and held to its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from tests.export.site.node import array, ask, sent
from wn_export.package import site_speech
from wn_runtime.errors import WavestepError
from wn_runtime.speech import linguistic
from wn_runtime.speech.front_end import FrontEnd, Spoken

Asked = tuple[str, dict[str, Any]]
"""A text, and speaker and rate."""
CLOSE = 1e-5
ROUNDING = 1e-6
"""Of a time that is summed up from float32, relative."""
SCRIPT = Path(__file__).with_name("answers.mjs")


def answers(files: Mapping[str, bytes], asked: Sequence[Asked]) -> Any:
    """Those of JavaScript, one each; {"error": line} alone where the files are none."""
    (found,) = of_each([files], asked)
    return found


def of_each(
    several: Sequence[Mapping[str, bytes]], asked: Sequence[Asked], ways: Sequence[str] = ()
) -> Any:
    """The same of several front ends. ways: how answers.mjs loads each."""
    question = [
        {
            "how": how,
            "files": {
                "json": files[site_speech.JSON].decode(errors="replace"),
                "tensors": sent(files[site_speech.WEIGHTS]),
            },
            "asked": asked,
        }
        for files, how in zip(several, ways or ["text"] * len(several), strict=True)
    ]
    return ask(SCRIPT, question)


def check_equal(front_end: FrontEnd, asked: Sequence[Asked], precision: str) -> list[Any]:
    """Hold JavaScript to Python's frames and lines; the answers. Raises AssertionError.

    Whole numbers are made of float32 in two places, a phone's frames and voicing, where an error in
    the last digit may turn one. What follows is held to what Python makes of JavaScript's.
    """
    files = site_speech.files_of(front_end, precision)
    expected = site_speech.read(files)
    found = answers(files, asked)
    for (text, options), answer in zip(asked, found, strict=True):
        line, spoken, ends = _told(expected, text, options)
        assert answer.get("error", "") == line
        if spoken is not None:
            assert tuple(answer["phones"]) == spoken.phones
            lengths = array(answer["lengths"], "<i4").astype(np.int64)
            _check_lengths(lengths, spoken.frames, ends)
            spoken = Spoken(spoken.phones, lengths)
            _check_frames(expected, answer, spoken, options.get("speaker"))
    return list(found)


def _told(
    front_end: FrontEnd, text: str, options: dict[str, Any]
) -> tuple[str, Spoken | None, NDArray[np.float64]]:
    """The line that refuses a text, or its phones in time and where they end before rounding."""
    with patch.object(linguistic, "whole_frames", wraps=linguistic.whole_frames) as rounding:
        try:
            spoken = front_end.spoken(text, **options)
            front_end.rendered(spoken, options.get("speaker"))
        except WavestepError as error:
            return str(error), None, np.empty(0)
    return "", spoken, rounding.call_args.args[0]


def _check_lengths(
    found: NDArray[np.int64], expected: NDArray[np.int64], ends: NDArray[np.float64]
) -> None:
    """Where phones end; one may be turned that ends half-way through a frame, and push the next."""
    differ = np.cumsum(found) != np.cumsum(expected)
    halfway = np.abs(ends % 1 - 0.5) < ROUNDING * ends
    pushed = np.append(False, differ[:-1])
    assert found.min() >= 1
    assert (halfway | pushed)[differ].all()


def _check_frames(
    expected: FrontEnd, answer: Any, spoken: Spoken, speaker: str | int | None
) -> None:
    features = expected.spec.features
    assert (answer["hop"], answer["sampleRate"]) == (features.hop, features.sample_rate)
    frames = expected.rendered(spoken, speaker)
    shape = answer["count"], answer["channels"]
    assert shape == frames.shape
    found = array(answer["frames"], "<f4").reshape(shape)
    columns = np.split(np.arange(shape[1]), [features.mel, features.mel + 2, features.mel + 3])
    mel, pitch, voiced, phones = columns
    np.testing.assert_allclose(found[:, pitch], frames[:, pitch], 0, CLOSE)
    np.testing.assert_allclose(found[:, phones], frames[:, phones], 0, CLOSE)
    turned = found[:, voiced] != frames[:, voiced]
    assert turned.sum() <= len(frames) // 1000
    prosody = found[:, features.mel : features.mel + 3]
    bands = expected.spectrum(found[:, phones], prosody, speaker)
    np.testing.assert_allclose(found[:, mel], bands, 0, CLOSE)
