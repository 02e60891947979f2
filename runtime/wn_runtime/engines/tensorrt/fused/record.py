"""What the record of a fused plan says beside that of any plan."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK = 64
"""K: the most samples of a call."""


@dataclass(frozen=True)
class FusedRecord:
    """`fused` of a plan's record."""

    schedule: str
    """`alone:4` (see `cuda.choose.Kind`)."""
    shared_limit: int
    """Bytes of shared memory a block that the schedule was chosen for."""
    source_sha256: str
    """Of the kernel's text, which has the model's shapes and the schedule in it."""
