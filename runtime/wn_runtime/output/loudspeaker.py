"""The loudspeaker, through the optional library sounddevice (PortAudio)."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime import installation, system_packages
from wn_runtime.errors import WavestepError
from wn_runtime.interrupts import Held


class Speaker:
    """Plays blocks as they come, and counts the times that it ran out of them.

    Raises WavestepError when the library or a device is missing, or the device refuses.
    """

    def __init__(self, sample_rate: int, voices: int) -> None:
        try:
            with Held():
                import sounddevice
        except ImportError as error:
            raise WavestepError(
                f"--play needs sounddevice; {installation.install('play')}, or write a file with -o"
            ) from error
        except OSError as error:  # the Python half is here, PortAudio is not
            fix = system_packages.install(system_packages.LOUDSPEAKER) or "install it"
            raise WavestepError(
                f"--play needs the PortAudio library; {fix}, or write a file with -o"
            ) from error
        self.underruns = 0
        """Blocks before which the device had nothing left to play."""
        self._failure: type[Exception] = sounddevice.PortAudioError
        self._started = False
        try:
            self._device: Any = sounddevice.OutputStream(
                samplerate=sample_rate, channels=voices, dtype="float32", latency="high"
            )
        except (self._failure, ValueError) as error:  # ValueError: no default device
            raise WavestepError(
                f"no loudspeaker takes {voices} voices at {sample_rate} Hz ({error}); write a "
                "file with -o"
            ) from error

    def write(self, block: NDArray[np.float32]) -> None:
        """Hand over a block, (n, B); waits while the device has enough."""
        try:
            if not self._started:  # not before there is something to play
                self._device.start()
                self._started = True
                self._device.write(np.ascontiguousarray(block))
            elif self._device.write(np.ascontiguousarray(block)):
                self.underruns += 1
        except self._failure as error:
            raise WavestepError(f"the loudspeaker stopped ({error}); is it unplugged?") from error

    def close(self) -> None:
        """Play what was handed over to its end."""
        if self._started:
            self._device.stop()
        self._device.close()

    def abort(self) -> None:
        """Fall silent at once."""
        with contextlib.suppress(self._failure):
            if self._started:
                self._device.abort()
            self._device.close()
