"""A snapshot as a file: safetensors, numbers and text, nothing that could run.

{"wavestep.snapshot": "1", "stream": JSON of voices, offset, size, …}
network.samples, network.delay_lines, conditioner.*, bias, frames, history, postprocess
mix, where `bias` is what it is mixed from (conditioning/mixed.py)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors import numpy as safetensors_numpy

from wn_runtime import atomic
from wn_runtime.conditioning.mixed import Mixed
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.snapshot import Snapshot, Voice

FORMAT = "1"
_MARK = "wavestep.snapshot"
_MOST_BYTES = 2**31
_BIAS = ("bias", "mix")
_PLAIN = ("frames", "history", "postprocess")
_GROUPS = ("network", "conditioner")


def save(snapshot: Snapshot, path: str | Path) -> None:
    """Write it whole or not at all. Raises WavestepError where the file cannot be written."""
    tensors: dict[str, NDArray[Any]] = {}
    for group in _GROUPS:
        for name, array in getattr(snapshot, group).items():
            tensors[f"{group}.{name}"] = array
    for name in _PLAIN:
        tensors[name] = getattr(snapshot, name)
    if isinstance(snapshot.bias, Mixed):
        tensors |= {"bias": snapshot.bias.rows, "mix": snapshot.bias.mix}
    elif snapshot.bias is not None:
        tensors["bias"] = snapshot.bias
    stream = {
        "voices": [
            [voice.seed, voice.number, voice.temperature, voice.position]
            for voice in snapshot.voices
        ],
        "offset": snapshot.offset,
        "size": snapshot.size,
        "frames_ended": snapshot.frames_ended,
    }
    data = safetensors_numpy.save(
        {name: np.ascontiguousarray(array) for name, array in tensors.items()},
        {_MARK: FORMAT, "stream": json.dumps(stream)},
    )
    try:
        atomic.write(Path(path).resolve(), data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WavestepError(f"{path} cannot be written ({reason}); nothing was kept") from error


def load(path: str | Path) -> Snapshot:
    """The snapshot of a file; whether it fits a model, `Stream.restore` finds out.

    Raises WavestepError for a file that cannot be read or is none.
    """
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            raise WavestepError(f"{path} is no snapshot: it has over {_MOST_BYTES >> 30} GiB")
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise WavestepError(f"{path} cannot be read ({reason})") from error
    try:
        tensors = safetensors_numpy.load(data)
        metadata = _metadata(data)
    except (safetensors.SafetensorError, KeyError, ValueError, TypeError, OverflowError) as error:
        raise WavestepError(f"{path} is no snapshot, or was cut short ({error})") from error
    if metadata.get(_MARK) != FORMAT:
        raise WavestepError(
            f"{path} is no snapshot of format {FORMAT}: it says {metadata.get(_MARK, 'nothing')!r}"
        )
    try:
        return _snapshot(tensors, json.loads(metadata["stream"]))
    except (KeyError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise WavestepError(f"{path} is no whole snapshot ({error!r})") from error


def _metadata(data: bytes) -> Mapping[str, str]:
    """What the header says beside tensors; the library gives it of files alone."""
    length = int.from_bytes(data[:8], "little")
    found: dict[str, str] = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    return found


def _snapshot(tensors: Mapping[str, NDArray[Any]], stream: Mapping[str, Any]) -> Snapshot:
    groups: dict[str, dict[str, NDArray[Any]]] = {group: {} for group in _GROUPS}
    for name, array in tensors.items():
        group, dot, rest = name.partition(".")
        if dot:
            groups[group][rest] = array
        elif name not in _PLAIN + _BIAS:
            raise KeyError(name)
    voices = tuple(
        Voice(_whole(seed), _whole(number), float(temperature), _whole(position))
        for seed, number, temperature, position in stream["voices"]
    )
    bias, mix = (tensors.get(name) for name in _BIAS)
    return Snapshot(
        voices=voices,
        network=groups["network"],
        conditioner=groups["conditioner"],
        bias=bias if mix is None else Mixed(tensors["bias"], mix),
        offset=_whole(stream["offset"]),
        size=_whole(stream["size"]),
        frames=tensors["frames"],
        frames_ended=stream["frames_ended"],
        history=tensors["history"],
        postprocess=tensors["postprocess"],
    )


def _whole(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{number!r} is no whole number")
    return number
