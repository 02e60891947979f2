"""What source/host is compiled for beyond the network's shapes: conditioning, and decoding."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wn_export.c_api.parts import Part, initialiser, part
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.native.shapes import Shapes
from wn_runtime.heads import pcm16
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights

_ORDER = ("KIND_GLOBAL", "KIND_LOCAL", "KIND_STRETCH", "KIND_STACK")
"""Of the weights, as `conditioning` in file.h has them."""


@dataclass(frozen=True)
class HostShapes:
    """The shapes of one model's C API: those of its library for one stream, and of its host."""

    spec: ModelSpec
    precision: str
    weights: Weights
    """What a conditioner can leave out depends on them: STRETCH_LINEAR."""

    @cached_property
    def network(self) -> Shapes:
        """Those of wavenet.c."""
        return Shapes(self.spec, self.precision, 1)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Raises WavestepError for a conditioner without C code."""
        return tuple(part(each, self.weights) for each in self.spec.conditioning)

    @cached_property
    def decoding(self) -> NDArray[np.float32]:
        """The audio of every class; of every 16-bit sample on a curve; empty: as it is."""
        head = self.spec.output
        if head.codes is not None:
            return head.decode(np.arange(head.codes, dtype=head.sample_dtype))
        every = pcm16.every()
        decoded = head.decode(every)
        return np.zeros(0, np.float32) if np.array_equal(decoded, every) else decoded

    @property
    def arrays(self) -> list[NDArray[np.float32]]:
        """The conditioner's weights, in the order of `conditioning` in file.h."""
        ordered = sorted(self.parts, key=lambda each: _ORDER.index(each.kind))
        tables = [each.arrays[0] for each in ordered if each.kind == "KIND_GLOBAL"]
        others = [a for each in ordered if each.kind != "KIND_GLOBAL" for a in each.arrays]
        return [*([np.concatenate(tables)] if tables else []), *others]

    @cached_property
    def header(self) -> str:
        """The text of host_shapes.h, which ends with a digest of itself and of the network's."""
        values = {**self._conditions(), **self._timing()}
        for each in self.parts:
            values |= each.macros
        values["DECODED"] = len(self.decoding)
        silence = self.spec.output.silence
        values["SILENCE"] = silence if isinstance(silence, int) else silence.hex() + "f"
        text = "".join(f"#define {name} {value}\n" for name, value in values.items())
        digest = hashlib.sha256((self.network.digest() + text).encode()).digest()
        return f"{text}#define HOST_DIGEST {initialiser(digest)}\n"

    @cached_property
    def digest(self) -> bytes:
        """What a library of these shapes reads, and no other: 32 bytes."""
        return bytes(map(int, self.header.rsplit("{", 1)[1].rstrip("}\n").split(", ")))

    def _conditions(self) -> dict[str, object]:
        """The named conditions, in the spec's order; C has no empty arrays."""
        conditions = self.spec.conditions
        of = [i for i, each in enumerate(self.spec.conditioning) for _ in each.conditions]
        counts = [len(condition.values) for condition in conditions]
        tags = [int(condition.kind == "tags") for condition in conditions]
        return {
            "COND_COUNT": len(conditions),
            "COND_VALUES": sum(counts),
            "COND_EACH_VALUES": initialiser(counts or [0]),
            "COND_EACH_TAGS": initialiser(tags or [0]),
            "COND_EACH_PART": initialiser(of or [0]),
        }

    def _timing(self) -> dict[str, object]:
        conditioning = self.spec.conditioning
        timing = Timing.of(conditioning)
        framed = [each.kind for each in self.parts if each.kind in ("KIND_LOCAL", "KIND_STRETCH")]
        holds = [each.hold for each in conditioning]
        return {
            "PARTS": len(self.parts),
            "COND_PART_KINDS": initialiser(each.kind for each in self.parts),
            "COND_PART_HOLDS": initialiser(holds),
            "HOLD": min((hold for hold in holds if hold), default=0),
            "COND_BLOCK": timing.block,
            "FRAME_CHANNELS": timing.frame_channels,
            "FRAME_HOP": timing.hop if timing.frame_channels else 0,
            "FRAME_LOOKAHEAD": timing.lookahead // timing.hop,
            "PADDED_WITH_MEAN": int(framed[:1] == ["KIND_LOCAL"]),
        }
