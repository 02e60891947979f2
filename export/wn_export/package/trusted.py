"""What an export built itself on this machine, its user trusts to run here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wn_runtime.engines import trust
from wn_runtime.errors import WavestepError


def trust_own(made: Mapping[str, Path]) -> str:
    """Trust what was made just now: SHA-256 to where it will be.

    Returns what is to be said where the list of what is trusted cannot be written: without it the
    directory is complete, and `wn-run --trust` can follow.
    """
    try:
        trust.add({digest: str(path.absolute()) for digest, path in made.items()})
    except WavestepError as reason:
        return f"; not trusted to run here: {reason}"
    return ""
