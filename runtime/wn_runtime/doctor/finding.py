"""One line of wn-doctor's report."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARN, MISSING, NONE = "ok", "warn", "missing", "-"


@dataclass(frozen=True)
class Finding:
    """What was looked for, what was found, and what to do about it."""

    subject: str
    """`C compiler`, `NVIDIA driver`, …"""
    state: str
    """`ok`; `warn`: works, at a cost; `missing`; `-`: of no concern on this machine."""
    detail: str
    """The version found, or what its absence costs."""
    fix: str = ""
    """One line that mends it; empty where there is nothing to mend."""

    @property
    def usable(self) -> bool:
        """Whether an engine that needs it can work."""
        return self.state in (OK, WARN)
