"""Memory is asked for before it is taken."""

from __future__ import annotations

import pytest

from tests.models.specs import small_spec
from wn_runtime.engines import memory
from wn_runtime.engines.memory import check_streams, row_bytes
from wn_runtime.errors import WavestepError

GIB = 1 << 30


def test_rows_are_counted_as_they_are_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest of a line may ask for one channel, sixteen of which are taken."""
    assert (row_bytes(1), row_bytes(16), row_bytes(17)) == (68, 68, 132)
    spec = small_spec((1 << 24,) * 4, residual=1)
    monkeypatch.setattr(memory, "available_bytes", lambda: 4 * GIB)
    with pytest.raises(WavestepError, match=r"1 streams of this model need 4\.8 GiB of memory"):
        check_streams(spec, 1)
    monkeypatch.setattr(memory, "available_bytes", lambda: 5 * GIB)
    check_streams(spec, 1)


def test_nothing_is_refused_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    check_streams(small_spec((1 << 24,) * 4, residual=1), 1000)
