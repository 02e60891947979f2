"""The loudspeaker: what it needs, what it counts, and what it says when it fails.

No machine of ours has a sound card; the stand-in has the signatures of sounddevice 0.5.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError
from wn_runtime.output.loudspeaker import Speaker
from wn_runtime.output.sinks import finishing

BLOCK = np.zeros((400, 1), np.float32)


class PortAudioError(Exception):
    pass


class Device:
    """sounddevice.OutputStream; each write is answered from `underflows`."""

    underflows: ClassVar[tuple[bool | Exception, ...]] = ()
    refuses: ClassVar[Exception | None] = None
    last: ClassVar[Device]

    def __init__(self, samplerate: int, channels: int, dtype: str, latency: str) -> None:
        if Device.refuses is not None:
            raise Device.refuses
        self.settings = (samplerate, channels, dtype)
        self.calls: list[str] = []
        self._outcomes: Iterator[bool | Exception] = iter(Device.underflows)
        Device.last = self

    def start(self) -> None:
        self.calls.append("start")

    def write(self, data: NDArray[np.float32]) -> bool:
        assert data.flags.c_contiguous
        assert data.dtype == np.float32
        self.calls.append("write")
        outcome = next(self._outcomes, False)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def stop(self) -> None:
        self.calls.append("stop")

    def abort(self) -> None:
        self.calls.append("abort")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    monkeypatch.setattr(Device, "underflows", ())
    monkeypatch.setattr(Device, "refuses", None)
    module: Any = types.ModuleType("sounddevice")
    module.OutputStream, module.PortAudioError = Device, PortAudioError
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return Device


def test_blocks_are_played_to_their_end(device: type[Device]) -> None:
    speaker = Speaker(8000, 1)
    with finishing(speaker) as sink:
        sink.write(BLOCK)
        sink.write(BLOCK)
    assert device.last.settings == (8000, 1, "float32")
    assert device.last.calls == ["start", "write", "write", "stop", "close"]


def test_underruns_are_counted_from_the_second_block_on(
    device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Silence before the first block is no underrun: nothing was promised yet.
    monkeypatch.setattr(device, "underflows", (True, False, True, True))
    speaker = Speaker(8000, 1)
    for _ in range(5):
        speaker.write(BLOCK)
    assert speaker.underruns == 2


def test_an_error_elsewhere_silences_it_at_once(device: type[Device]) -> None:
    speaker = Speaker(8000, 1)
    speaker.write(BLOCK)
    speaker.abort()
    assert device.last.calls[-2:] == ["abort", "close"]


@pytest.mark.parametrize(
    "refusal", [PortAudioError("Invalid sample rate"), ValueError("no device")]
)
def test_no_device_is_one_line(
    device: type[Device], monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    monkeypatch.setattr(device, "refuses", refusal)
    with pytest.raises(WavestepError, match=r"no loudspeaker takes 2 voices at 8000 Hz .* -o"):
        Speaker(8000, 2)


def test_a_device_that_goes_away_is_one_line(
    device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "underflows", (False, PortAudioError("Device unavailable")))
    speaker = Speaker(8000, 1)
    speaker.write(BLOCK)
    with pytest.raises(WavestepError, match="the loudspeaker stopped"):
        speaker.write(BLOCK)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (ImportError("No module named 'sounddevice'"), r"pip install .*\[play\]'"),
        (
            OSError("PortAudio library not found"),
            r"needs the PortAudio library; .*, or write",
        ),
    ],
)
def test_a_missing_library_names_the_way_to_it(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, message: str
) -> None:
    honest = builtins.__import__

    def without(name: str, *arguments: Any, **settings: Any) -> Any:
        if name == "sounddevice":
            raise failure
        return honest(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(WavestepError, match=message):
        Speaker(8000, 1)
