"""What all tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="session")
def compiled_libraries_stay_out_of_home(request):
    """The native engine's cache lies in pytest's own, which is kept from one run to the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(request.config.cache.mkdir("wavestep")))
        yield
