"""The page's own modules through node: files, what plays, spectra, the build that is chosen."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import wn_runtime
from tests.export.site.node import array, ask, needs_node, sent

pytestmark = needs_node
MODULES = Path(__file__).with_name("modules.mjs")


def asked(what: str, **question: Any) -> Any:
    return ask(MODULES, [{"ask": what, **question}])[0]


def saved(frames: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, frames)
    return file.getvalue()


FRAMES = np.random.default_rng(0).normal(0, 30, (5, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "frames",
    [
        FRAMES,
        FRAMES.astype(np.float64),
        np.asfortranarray(FRAMES),
        np.array([[1e-7, -6e-5, 65504], [0, -0.0, 0.1]], np.float16),
    ],
    ids=["float32", "float64", "columns first", "float16"],
)
def test_frames_are_what_numpy_saved(frames: NDArray[Any]) -> None:
    found = asked("npy", file=sent(saved(frames)), channels=3)
    np.testing.assert_array_equal(
        array(found["made"], "<f4").reshape(-1, 3), frames.astype(np.float32)
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"RIFF" + bytes(60), "no array that NumPy saved; write it with numpy.save"),
        (b"", "no array that NumPy saved"),
        (saved(FRAMES)[:-1], "59 bytes of frames, its head says 60: cut short, or damaged"),
        (saved(FRAMES) + b"x", "61 bytes of frames, its head says 60"),
        (saved(FRAMES)[:40], "the head of the file cannot be read: cut short"),
        (saved(FRAMES.astype(np.int32)), r"the file is <i4 \(5, 3\); frames are float32"),
        (saved(FRAMES.astype(">f4")), r"the file is >f4 .*; save it as \.astype\('<f4'\)"),
        (saved(FRAMES[0]), r"the file is <f4 \(3\); frames are"),
        (saved(FRAMES[:, :2]), "the frames have 2 channels; this model takes 3"),
        (saved(FRAMES[:0]), "the file holds no frame"),
        (saved(np.where(FRAMES[3, 1] == FRAMES, np.nan, FRAMES)), "frame 3 holds NaN or infinity"),
    ],
)
def test_what_are_no_frames_is_told(file: bytes, message: str) -> None:
    with pytest.raises(AssertionError, match=f"WavestepError: .*{message}"):
        raise AssertionError(asked("npy", file=sent(file), channels=3)["error"])


def test_of_files_chosen_in_a_row_the_last_one_is_kept_however_long_it_is_read() -> None:
    files = [sent(b"no frames"), sent(saved(FRAMES + 1)), sent(saved(FRAMES))]
    found = asked("chosenFiles", files=files, readInOrder=[2, 1, 0], channels=FRAMES.shape[1])
    np.testing.assert_array_equal(array(found["frames"], "<f4"), FRAMES.ravel())
    assert found["failed"] == [False] * 3


def test_every_head_cut_short_is_told_or_read() -> None:
    whole = saved(FRAMES)
    cut = [whole[:length] for length in range(len(whole))]
    found = ask(MODULES, [{"ask": "npy", "file": sent(file), "channels": 3} for file in cut])
    assert len(found) == len(cut)
    assert all("WavestepError" in each["error"] for each in found)


def test_a_wav_is_the_one_that_python_writes(tmp_path: Path) -> None:
    audio = np.random.default_rng(1).uniform(-1.2, 1.2, 4000).astype(np.float32)
    audio[:8] = np.array([0, 1, -1, 0.5, 1.5, -0.5, 2.5, -1.5], np.float32) / 32767
    wn_runtime.write(tmp_path / "a.wav", audio[:, None], 11025)
    made = bytes(array(asked("wav", audio=sent(audio.tobytes()), rate=11025), "u1"))
    assert made == (tmp_path / "a.wav").read_bytes()


def played(*events: dict[str, Any], rate: int = 800, here: int = 800, lead: int = 16) -> Any:
    return asked("played", rate=rate, sampleRate=here, lead=lead, events=list(events))


RAMP = [float(i) for i in range(1, 33)]


def test_blocks_are_played_one_after_the_other_from_when_there_are_enough() -> None:
    found = played(
        {"block": RAMP[:12], "calls": 2},  # too few to begin with
        {"block": RAMP[12:], "calls": 2},
        {"end": True, "calls": 9},
    )
    assert found["out"][:17] == [0.0] * 17
    assert [x for x in found["out"] if x] == RAMP[:-1]  # the last is where the next would begin
    assert not found["alive"]
    assert found["reports"][-1] == {"played": 32, "gaps": 0, "over": True}
    assert found["told"][-1] == 32


def test_running_dry_is_silence_and_one_underrun_until_there_is_enough_again() -> None:
    found = played(
        {"block": RAMP[:16], "calls": 6},
        {"block": RAMP[16:24], "calls": 2},  # half of what it waits for
        {"block": RAMP[24:], "calls": 6},
        {"end": True, "calls": 1},
    )
    assert [x for x in found["out"] if x] == RAMP[:-1]
    assert [report["gaps"] for report in found["reports"]][-1] == 2  # once more at the very end
    assert found["out"][24:64] == [0.0] * 40


def test_a_sound_shorter_than_the_lead_is_played() -> None:
    found = played({"block": RAMP[:5]}, {"end": True, "calls": 3})
    assert [x for x in found["out"] if x] == RAMP[:4]
    assert found["reports"][-1]["over"]


def test_a_loudspeaker_of_another_rate_gets_a_line_between_the_samples() -> None:
    found = played({"block": RAMP}, {"end": True, "calls": 20}, here=1600)
    heard = [x for x in found["out"] if x]
    np.testing.assert_allclose(np.diff(heard), 0.5, atol=1e-6)
    assert heard[-1] > RAMP[-2] - 1


def test_stopped_is_silent_at_once() -> None:
    found = played({"block": RAMP, "calls": 1}, {"stop": True, "calls": 1})
    assert len(found["out"]) == 16
    assert found["out"][8:] == [0.0] * 8
    assert not found["alive"]


def test_a_recording_gives_any_part_of_it_and_forgets_the_beginning_of_a_long_one() -> None:
    found = asked(
        "recorded", rate=10, blocks=[7, 5, 8], slices=[[0, 20], [6, 13], [-2, 2], [18, 25]]
    )
    assert found["found"][0] == list(range(20))
    assert found["found"][1] == list(range(6, 13))
    assert found["found"][2] == [0, 0, 0, 1]
    assert found["found"][3] == [18, 19, 0, 0, 0, 0, 0]
    long = asked("recorded", rate=10, blocks=[1000] * 9, slices=[[7999, 8001]])
    assert (long["start"], long["all"]) == (3000, 6000)
    assert long["found"] == [[7999, 8000]]


def test_a_spectrum_is_numpys() -> None:
    size = 256
    samples = np.random.default_rng(2).normal(0, 0.3, size).astype(np.float32)
    samples += np.sin(2 * np.pi * 20 * np.arange(size) / size).astype(np.float32)
    found = array(asked("decibels", samples=sent(samples.tobytes()), size=size), "<f4")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = np.abs(np.fft.rfft(samples * window)[: size // 2]) ** 2 / (size / 4) ** 2
    np.testing.assert_allclose(found, 10 * np.log10(power + 1e-12), atol=0.02)
    assert abs(found[20]) < 3


@pytest.mark.parametrize(
    ("runs", "chosen"), [(["relaxed", "simd"], "relaxed"), (["simd"], "simd"), ([], None)]
)
def test_the_build_is_the_fastest_that_the_browser_validates(
    runs: list[str], chosen: str | None
) -> None:
    found = asked("build", runs=runs)
    assert found.get("made") == chosen
    if chosen is None:
        assert "no WebAssembly SIMD" in found["error"]
    assert found["here"]["made"] in ("relaxed", "simd")  # V8 knows both probes' instructions
