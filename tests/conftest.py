"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def compiled_code_stays_out_of_home(request: pytest.FixtureRequest) -> Iterator[None]:
    """The cache of compiled code lies in pytest's own, which is kept from one run to the next.

    So does what tests say to trust.
    """
    with pytest.MonkeyPatch.context() as patch:
        assert request.config.cache is not None
        own = str(request.config.cache.mkdir("wavestep"))
        patch.setenv("XDG_CACHE_HOME", own)
        patch.setenv("XDG_DATA_HOME", own)
        yield
