"""The bench that stands on the engine's C code still compiles with it."""

from __future__ import annotations

import pytest

from bench.native.one_product import PRECISIONS, microseconds
from tests.models.specs import small_spec
from tests.runtime.engines.native.targets import needs_compiler


@needs_compiler
@pytest.mark.parametrize("precision", PRECISIONS)
def test_both_orders_are_timed(precision: str) -> None:
    two, one = microseconds(small_spec((1, 2), residual=16, gate=32), precision)
    assert 0 < two < 1e6
    assert 0 < one < 1e6
