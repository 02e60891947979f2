"""The C API as a program would use it, through ctypes: what the tests of it share."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.library import SHARED, layout
from wn_export.c_api.model_file import Named, packed_model
from wn_export.c_api.source import HEADER, c_source
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native.compiler import find_compiler
from wn_runtime.engines.native.pack import aligned_zeros
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

Audio = NDArray[np.float32]
PLAIN = ("-std=gnu11", "-O1", "-fno-math-errno", "-DWN_PLAIN", "-w")
"""Flags that any C compiler knows, for code that is made quickly."""
_P, _I, _S = ctypes.c_void_p, ctypes.c_int32, ctypes.c_size_t
_CALLS: dict[str, tuple[Any, list[Any]]] = {
    "text": (ctypes.c_char_p, [_I]),
    "abi": (_I, []),
    "open": (_I, [_P, _S, ctypes.POINTER(_P)]),
    "name": (ctypes.c_char_p, [_P]),
    "sample_rate": (_I, [_P]),
    "temperature": (ctypes.c_double, [_P]),
    "conditions": (_I, [_P]),
    "condition_name": (ctypes.c_char_p, [_P, _I]),
    "condition_is_tags": (_I, [_P, _I]),
    "values": (_I, [_P, _I]),
    "value_name": (ctypes.c_char_p, [_P, _I, _I]),
    "condition": (_I, [_P, ctypes.c_char_p]),
    "value": (_I, [_P, _I, ctypes.c_char_p]),
    "frame_channels": (_I, [_P]),
    "frame_hop": (_I, [_P]),
    "frame_lookahead": (_I, [_P]),
    "voice_bytes": (_S, [_P, _I]),
    "init": (_I, [_P, _S, _P, _I]),
    "choose": (_I, [_P, _I, _I]),
    "begin": (_I, [_P, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_double]),
    "push": (_I, [_P, _P, _I]),
    "finish": (_I, [_P]),
    "available": (_I, [_P]),
    "read": (_I, [_P, _P, _I]),
}
_BIAS = """
WAVESTEP_API void wavestep_test_bias(wavestep_voice *voice, float *row) {
    make_rows(voice->file, &voice->bias, voice->queue);
    const bias_piece piece = next_bias(&voice->bias, 1);
    if (piece.rows) memcpy(row, piece.rows, sizeof(float) * BIAS_ROW);
}
"""
"""What the tests look at beyond the API: the bias of the next sample."""


class CApi:
    """A compiled library; `api.read(…)` is `wavestep_read(…)`."""

    def __init__(self, path: Path) -> None:
        self.library = library = ctypes.CDLL(str(path))
        for name, (result, arguments) in _CALLS.items():
            function = getattr(library, f"wavestep_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def opened(self, data: bytes) -> tuple[int, NDArray[np.uint8]]:
        """The status of `wavestep_open`, and the file in memory, where its model is."""
        memory = in_memory(data)
        model = _P()
        status = self.open(memory.ctypes.data, len(data), ctypes.byref(model))
        assert (model.value == memory.ctypes.data) is (status == 0)
        return status, memory


class CVoice:
    """A voice in memory of its own."""

    def __init__(self, api: CApi, model: NDArray[np.uint8], frames: int = 0) -> None:
        self.api, self.model, self.file = api, model.ctypes.data, model
        self.memory = aligned_zeros(api.voice_bytes(self.model, frames))
        self.memory[:] = 0xA5  # as malloc leaves it
        self.at = self.memory.ctypes.data
        assert api.init(self.at, self.memory.nbytes, self.model, frames) == 0

    def begin(
        self,
        seed: int = 0,
        stream: int = 0,
        temperature: float = 1.0,
        chosen: Mapping[str, str] | None = None,
    ) -> CVoice:
        """Conditions by name; tags joined by +."""
        for condition in range(self.api.conditions(self.model)):
            assert self.api.choose(self.at, condition, -1) == 0
        for name, values in (chosen or {}).items():
            condition = self.api.condition(self.model, name.encode())
            for value in values.split("+"):
                index = self.api.value(self.model, condition, value.encode())
                assert self.api.choose(self.at, condition, index) == 0, (name, value)
        assert self.api.begin(self.at, seed % 2**64, stream, temperature) == 0
        return self

    def push(self, frames: NDArray[np.float32]) -> int:
        """How many were taken, or a status."""
        frames = np.ascontiguousarray(frames, np.float32)
        taken: int = self.api.push(self.at, frames.ctypes.data, len(frames))
        return taken

    def read(self, samples: int) -> Audio:
        """As many as there are."""
        audio = np.full(samples, np.nan, np.float32)
        made = self.api.read(self.at, audio.ctypes.data, samples)
        assert made >= 0, self.api.text(made)
        return audio[:made]

    def bias(self, spec: ModelSpec) -> Audio:
        """That of the next sample, (L·G,); of `build_plain`."""
        row = np.zeros(spec.layers * spec.gate_channels, np.float32)
        self.api.library.wavestep_test_bias(_P(self.at), _P(row.ctypes.data))
        return row


def in_memory(data: bytes) -> NDArray[np.uint8]:
    """Bytes at a multiple of 64."""
    memory = aligned_zeros(len(data) + 64)[: len(data)]
    memory[:] = np.frombuffer(data, np.uint8)
    return memory


def build(
    folder: Path,
    spec: ModelSpec,
    weights: Weights,
    precision: str,
    look: bool = False,
) -> tuple[CApi, bytes]:
    """A model's library, compiled for this CPU as wn-export does it, and its packed file.

    look: with what `CVoice.bias` takes.
    """
    compiler = find_compiler()
    flags = (*compiler.flags, *cpu.native_flags())
    return _built(folder, HostShapes(spec, precision, weights), (*compiler.command, *flags), look)


def build_plain(
    folder: Path, spec: ModelSpec, weights: Weights, precision: str
) -> tuple[CApi, bytes]:
    """The same without intrinsics, quickly, and with a look at the bias."""
    flags = (*PLAIN, "-shared", "-fPIC", "-fvisibility=hidden")
    return _built(folder, HostShapes(spec, precision, weights), ("cc", *flags), look=True)


def _built(
    folder: Path, shapes: HostShapes, command: Sequence[str], look: bool
) -> tuple[CApi, bytes]:
    source = write_source(folder, shapes, _BIAS * look)
    path = folder / SHARED
    subprocess.run([*command, str(source), "-o", str(path)], check=True)
    return CApi(path), packed_model(shapes, Named("toy", 0.9), layout(path).tiles)


def write_source(folder: Path, shapes: HostShapes, more: str = "") -> Path:
    """wavestep.c and wavestep.h."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADER.name).write_bytes(HEADER.read_bytes())
    path = folder / "wavestep.c"
    path.write_text(c_source(shapes) + more, "utf-8")
    return path
