"""The packed model file: all of a model in one file that C reads in place (docs/c-api.md).

    header        192 bytes; magic, format, checksum, sizes, digest, rates
    weights       the C struct `model`, as engines/native/pack.py lays it out for one kind of CPU
    conditioning  the C struct `conditioning` of source/host/file.h: canonical weights, float32
    decoding      what classes, or 16-bit samples on a curve, sound like, float32
    text          names, each ended by a zero

Little-endian; every section begins at a multiple of 64.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wn_export.c_api.host_shapes import HostShapes
from wn_runtime.engines.native.pack import Tiles, aligned, pack

MAGIC = b"\x89WNM\r\n\x1a\n"
FORMAT = 1
SUFFIX = ".wn"
_PRECISIONS = {"fp32": 1, "bf16": 2, "int8": 3}
"""As wavenet.c numbers them."""
_HEADER = struct.Struct("<8sIIQII32s8QII3dI28x")
_CHECKED_FROM = 16
"""The checksum is of what follows it."""


@dataclass(frozen=True)
class Named:
    """What a packed model is called, and how it is begun unless its user says otherwise."""

    name: str
    temperature: float


def packed_model(shapes: HostShapes, named: Named, tiles: Tiles) -> bytes:
    """The file's bytes. tiles: what the library's layout says (`library.Layout`)."""
    spec = shapes.spec
    names = [named.name]
    for condition in spec.conditions:
        names += [condition.name, *condition.values]
    sections = [
        pack(spec, shapes.weights, shapes.precision, tiles).tobytes(),
        aligned(shapes.arrays).tobytes(),
        _little(shapes.decoding).tobytes(),
        b"".join(name.encode() + b"\0" for name in names),
    ]
    places: list[int] = []
    body = b""
    for section in sections:
        body += bytes(-len(body) % 64)
        places += [_HEADER.size + len(body), len(section)]
        body += section
    header = _HEADER.pack(
        *(MAGIC, FORMAT, 0, _HEADER.size + len(body)),
        *(_PRECISIONS[shapes.precision], tiles.columns, shapes.digest, *places),
        *(spec.sample_rate, tiles.group, named.temperature),
        *(spec.postprocess.deemphasis, spec.postprocess.gain, tiles.apart),
    )
    return with_checksum(header + body)


@dataclass(frozen=True)
class Packed:
    """What a packed model says of itself."""

    named: Named
    precision: str
    sample_rate: int
    conditions: tuple[str, ...]
    """The name of each, followed by its values."""


def read_packed(data: bytes) -> Packed:
    """Raises ValueError for what is no packed model, or not whole; nothing in it is believed."""
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        raise ValueError("no packed model")
    _, version, _, whole, precision, _, _, *places_and_rates = _HEADER.unpack_from(data)
    *_, text_at, text_bytes = places_and_rates[:8]
    rate, _, temperature, *_ = places_and_rates[8:]
    if version != FORMAT:
        raise ValueError(f"of format {version}, this version reads {FORMAT}")
    if whole != len(data) or with_checksum(data) != data:
        raise ValueError("changed or cut short")
    text = data[text_at : text_at + text_bytes].decode("utf-8", "replace")
    name, *conditions = text.split("\0")[:-1] or [""]
    named = {number: each for each, number in _PRECISIONS.items()}.get(precision, "unknown")
    return Packed(Named(name, temperature), named, rate, tuple(conditions))


def with_checksum(data: bytes) -> bytes:
    """A packed model's bytes with the checksum that they should have."""
    crc = struct.pack("<I", zlib.crc32(data[_CHECKED_FROM:]))
    return data[: _CHECKED_FROM - 4] + crc + data[_CHECKED_FROM:]


def _little(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array.astype("<f4")
