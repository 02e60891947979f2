"""The GPU of these tests has thread block clusters."""

from __future__ import annotations

import pytest


@pytest.fixture
def arch() -> str:
    """An H100's."""
    return "90"
