"""The C header that makes one model's shapes compile-time constants."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from wn_runtime.engines import macros
from wn_runtime.engines.memory import row_bytes
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.spec import ModelSpec

_MOST_BYTES = 2**33
_LAYOUT = 7
"""Of the packed weights, how it is told, and what functions take: a library compiled ahead for
another is refused, and wavenet.c has the same number."""


@dataclass(frozen=True)
class Shapes:
    """What one library is compiled for."""

    spec: ModelSpec
    precision: str
    batch: int
    """B: streams of one call."""

    def __post_init__(self) -> None:
        rows, channels = self.spec.state_rows * self.batch, self.spec.residual_channels
        if rows * row_bytes(channels) > _MOST_BYTES:
            raise WavestepError(
                f"the delay lines of {self.batch} streams need {rows} rows of {channels} "
                f"channels, over {_MOST_BYTES >> 30} GiB; use fewer streams"
            )

    def header(self) -> str:
        """The text of shapes.h, which ends with a digest of itself and of the head's code."""
        values = {
            **macros.of_model(self.spec),
            "BATCH": self.batch,
            "LINE_ROWS": self.spec.state_rows,
            "PRECISION": self.precision.upper(),
            "LAYOUT": _LAYOUT,
        }
        text = "".join(f"#define {name} {value}\n" for name, value in values.items())
        digest = hashlib.sha256((text + self.head_source()).encode()).hexdigest()
        return f'{text}#define SHAPES "{digest}"\n'

    def head_source(self) -> str:
        """The text of head.h. Raises EngineUnavailable for a head without C code."""
        head = self.spec.output
        source = head.source(".h")
        if source is None:
            raise EngineUnavailable(f"the native engine has no code for the head {head.kind!r}")
        return source

    def digest(self) -> str:
        """What a library of these shapes answers to `wn_shapes()`."""
        return self.header().rsplit('"', 2)[1]
