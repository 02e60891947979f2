"""What the record of a fused plan says beside that of any plan."""

from __future__ import annotations

from dataclasses import dataclass

from wn_runtime.engines.cuda.choose import Kind
from wn_runtime.errors import WavestepError

CHUNK = 64
"""K: the most samples of a call."""
_MOST_SHARED = 2**20
"""Bytes a block that no GPU gives."""


@dataclass(frozen=True)
class FusedRecord:
    """`fused` of a plan's record."""

    schedule: str
    """`alone:4` (see `cuda.choose.Kind`)."""
    shared_limit: int
    """Bytes of shared memory a block that the schedule was chosen for."""
    source_sha256: str
    """Of the kernel's text, which has the model's shapes and the schedule in it."""

    def __post_init__(self) -> None:
        if not 0 <= self.shared_limit <= _MOST_SHARED:
            raise ValueError(f"shared_limit is {self.shared_limit}; it must be 0 to {_MOST_SHARED}")
        try:
            Kind.of(self.schedule)
        except WavestepError as error:
            raise ValueError(str(error)) from error
