"""The bias that C makes is NumPy's to float error; from it on all is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.export.c_api.c_voice import CVoice, build, build_plain
from tests.export.c_api.models import FRAMED, choices_of, weights_of
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.engines.native.engine import NativeEngine
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.uniforms import uniforms

pytestmark = needs_compiler
Array = NDArray[np.float32]


def frames_of(spec: ModelSpec, count: int = 9) -> Array | None:
    """(F, C), wide enough that some are cut to what training could have seen; None without."""
    channels = Conditioner(spec, weights_of(spec)).timing.frame_channels
    if not channels:
        return None
    frames = np.random.default_rng(5).standard_normal((count, channels)).astype(np.float32) * 2
    frames[3, 0] = 9e37
    return frames


def heard(
    voice: CVoice, spec: ModelSpec, frames: Array | None, at_a_time: int = 3
) -> tuple[Array, Array]:
    """All that can be read of those frames, or 100 samples: the bias of each (T, L·G), audio (T,).

    Frames are pushed a few at a time, and samples read while there are any.
    """
    api, rows = voice.api, list[Array]()
    audio = list[np.float32]()

    def read(most: int) -> None:
        while api.available(voice.at) and len(audio) < most:
            rows.append(voice.bias(spec))
            audio.append(voice.read(1)[0])

    if frames is None:
        read(100)
        return np.array(rows), np.array(audio)
    while len(frames):
        taken = voice.push(frames[:at_a_time])
        assert taken >= 0, api.text(taken)
        frames = frames[taken:]
        read(10**4)
    assert api.finish(voice.at) == 0
    read(10**4)
    return np.array(rows), np.array(audio)


def numpys_bias(spec: ModelSpec, frames: Array | None, samples: Samples) -> Array:
    """The same in one pass of Python's conditioner: (T, L·G)."""
    conditioner, count = Conditioner(spec, weights_of(spec)), len(samples)
    size = -(-count // conditioner.timing.block) * conditioner.timing.block
    history = np.full((size, 1), spec.output.silence, samples.dtype)
    history[:count] = samples[:, None]
    of_stream = None if frames is None else frames[:, None]
    bias = conditioner.whole(choices_of(spec), 1, count, of_stream, history)
    assert bias is not None
    return np.repeat(bias, count // len(bias), axis=0)[:, :, 0].reshape(count, -1)


@pytest.mark.parametrize("name", FRAMED)
def test_the_bias_is_numpys(tmp_path: Path, name: str) -> None:
    spec = FRAMED[name]
    api, data = build_plain(tmp_path, spec, weights_of(spec), "fp32")
    voice = CVoice(api, api.opened(data)[1]).begin(3, chosen=choices_of(spec))
    frames = frames_of(spec)
    rows, audio = heard(voice, spec, frames)
    timing = Conditioner(spec, weights_of(spec)).timing
    if frames is not None:
        covered = len(frames) * timing.hop
        assert len(audio) == -(-covered // timing.block) * timing.block
    expected = numpys_bias(spec, frames, spec.output.encode(audio))
    np.testing.assert_allclose(rows, expected, rtol=0, atol=2e-6 * np.abs(expected).max())
    assert np.ptp(expected, axis=0).max() > 0.1

    voice = CVoice(api, voice.file, frames=50).begin(3, chosen=choices_of(spec))
    if frames is not None:  # all at once, where there is room for them
        assert voice.push(frames) == len(frames)
        assert api.finish(voice.at) == 0
    np.testing.assert_array_equal(voice.read(len(audio)), audio)
    assert frames is None or len(voice.read(1)) == 0


@pytest.mark.parametrize("precision", ["int8"])
def test_from_the_bias_on_all_is_the_same(tmp_path: Path, precision: str) -> None:
    """Python's engine, given C's bias, makes C's samples."""
    spec = FRAMED["everything"]
    weights, chosen = weights_of(spec), choices_of(spec)
    api, data = build(tmp_path, spec, weights, precision, look=True)
    voice = CVoice(api, api.opened(data)[1]).begin(3, temperature=0.8, chosen=chosen)
    rows, audio = heard(voice, spec, frames_of(spec))
    bias = rows.reshape(len(rows), spec.layers, 1, spec.gate_channels)
    engine = NativeEngine(spec, weights, precision)
    drawn = uniforms(3, 1, len(rows), spec.output.uniforms)
    made = engine.generate(bias, drawn, 0.8)
    np.testing.assert_array_equal(spec.output.decode(made)[:, 0], audio)
    assert inverse_temperatures(0.8, 1)[0] != 1


def test_frames_are_taken_as_there_is_room_and_refused_when_broken(tmp_path: Path) -> None:
    spec = FRAMED["5x3-centred-linear4"]
    api, data = build_plain(tmp_path, spec, weights_of(spec), "fp32")
    file = api.opened(data)[1]
    voice, frames = CVoice(api, file), frames_of(spec, 20)
    model, timing = voice.model, Conditioner(spec, weights_of(spec)).timing
    assert frames is not None
    assert api.frame_channels(model) == timing.frame_channels
    assert api.frame_hop(model) == timing.hop
    assert api.frame_lookahead(model) == timing.lookahead // timing.hop
    assert "has not begun" in api.text(voice.push(frames)).decode()
    voice.begin(1)
    least = 1 + timing.lookahead // timing.hop
    assert voice.push(frames) == least
    assert voice.push(frames) == 0
    assert api.available(voice.at) == timing.hop
    for number in (np.nan, np.inf, -3e38):
        broken = frames[:2].copy()
        broken[1, 2] = number
        assert "1e38" in api.text(voice.push(broken)).decode()
    assert len(voice.read(10**4)) == timing.hop
    assert voice.push(frames[least:]) > 0
    assert "argument" in api.text(api.push(voice.at, None, -1)).decode()
    assert api.finish(voice.at) == 0
    assert "begin anew" in api.text(voice.push(frames)).decode()
    assert "begin anew" in api.text(api.finish(voice.at)).decode()
    assert len(CVoice(api, file).begin(1).read(5)) == 0
