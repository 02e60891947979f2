"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def compiled_code_stays_out_of_home(request: pytest.FixtureRequest) -> Iterator[None]:
    """The cache of compiled code lies in pytest's own, which is kept from one run to the next."""
    with pytest.MonkeyPatch.context() as patch:
        assert request.config.cache is not None
        patch.setenv("XDG_CACHE_HOME", str(request.config.cache.mkdir("wavestep")))
        yield
