"""What a conditioner's weights are called of which there are several, one after another."""

from __future__ import annotations


def numbered(prefix: str, index: int) -> tuple[str, str]:
    """The canonical names of the weight and the bias of a layer, kernel or stage."""
    return f"{prefix}{index}.weight", f"{prefix}{index}.bias"
