"""A name is one word of a path, on every system that it is used on."""

from __future__ import annotations

import pytest

from wn_runtime.model import names

ON_WINDOWS = (
    "C:evil",
    "notes.txt:hidden",
    "CON",
    "con.old",
    "Aux",
    "lpt1",
    "com\u00b9.x",
    "end.",
    "a?",
)
FINE = ("digits", "consort", "com10", "auxiliary", "a.b", "stimme 3", "r\u00e9sum\u00e9")


@pytest.mark.parametrize("name", ON_WINDOWS)
def test_what_is_no_file_on_windows_is_refused_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wn_runtime.system.here.system", lambda: "linux")
    assert names.check(name, "name") == name
    monkeypatch.setattr("wn_runtime.system.here.system", lambda: "windows")
    with pytest.raises(ValueError, match="is no file name on Windows"):
        names.check(name, "name")


@pytest.mark.parametrize("system", ["linux", "windows", "darwin"])
def test_what_is_a_file_everywhere(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wn_runtime.system.here.system", lambda: system)
    for name in FINE:
        assert names.check(name, "name") == name
    for name in ("a/b", "a\\b", "..", " a", "a\n"):
        with pytest.raises(ValueError, match="name"):
            names.check(name, "name")
