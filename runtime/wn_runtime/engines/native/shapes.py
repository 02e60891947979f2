"""The C header that makes one model's shapes compile-time constants."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec

PRECISIONS = ("fp32", "bf16", "int8")
"""Precisions of the weights; activations are float32, with int8 weights int16."""
_MOST_BYTES = 2**33


@dataclass(frozen=True)
class Shapes:
    """What one library is compiled for."""

    spec: ModelSpec
    precision: str
    batch: int
    """B: streams of one call."""

    def __post_init__(self) -> None:
        rows = self.spec.state_rows * self.batch
        if rows * self.spec.residual * 4 > _MOST_BYTES:
            raise WavestepError(
                f"the delay lines of {self.batch} streams need {rows} rows of "
                f"{self.spec.residual} channels, over {_MOST_BYTES >> 30} GiB; use fewer streams"
            )

    def header(self) -> str:
        """The text of shapes.h, which ends with a digest of itself."""
        spec = self.spec
        values = {
            "LAYERS": spec.layers,
            "KERNEL": spec.kernel,
            "INPUT_KERNEL": spec.input_kernel,
            "RESIDUAL": spec.residual,
            "GATE": spec.gate,
            "SKIP": spec.skip,
            "HEAD": spec.head,
            "CLASSES": spec.classes,
            "BATCH": self.batch,
            "DILATIONS": "{" + ", ".join(map(str, spec.dilations)) + "}",
            "LINE_ROWS": spec.state_rows,
            "RESIDUAL_SCALE": float(np.float32(spec.residual_scale)).hex() + "f",
            "PRECISION": self.precision.upper(),
        }
        text = "".join(f"#define {name} {value}\n" for name, value in values.items())
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f'{text}#define SHAPES "{digest}"\n'

    def digest(self) -> str:
        """What a library of these shapes answers to `wn_shapes()`."""
        return self.header().split('"')[1]
