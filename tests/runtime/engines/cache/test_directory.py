"""The cache's directory: this user's alone, and a temporary one where there is no home."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from wn_runtime.engines.cache import directory
from wn_runtime.engines.cache.directory import cache_directory
from wn_runtime.errors import WavestepError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "wavestep"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_private_in_the_users_cache(home: Path) -> None:
    assert cache_directory() == home
    assert mode(home) == 0o700


def test_without_a_setting_it_lies_in_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory() == tmp_path / ".cache" / "wavestep"


def test_one_that_others_could_read_is_closed_to_them(home: Path) -> None:
    home.mkdir()
    home.chmod(0o755)
    assert mode(cache_directory()) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a directory to another user")
def test_another_users_directory_is_refused(home: Path) -> None:
    home.mkdir()
    os.chown(home, 12345, 12345)
    with pytest.raises(WavestepError, match=r"belongs to user 12345, .*; set XDG_CACHE_HOME"):
        cache_directory()


def test_a_link_is_not_followed(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    home.symlink_to(elsewhere)
    with pytest.raises(WavestepError, match="is a link; set XDG_CACHE_HOME"):
        cache_directory()
    assert mode(elsewhere) == 0o755


def test_without_a_writable_home_it_lives_as_long_as_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    program = (
        "from wn_runtime.engines.cache.directory import cache_directory as directory\n"
        "assert directory() == directory()\n"
        "print(oct(directory().stat().st_mode & 0o777), directory())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    bits, place = done.stdout.split()
    assert bits == "0o700"
    assert Path(place).parent.parent == tmp_path
    assert not Path(place).parent.exists()


def test_a_home_that_cannot_be_written_to_is_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, how: False)  # root may write anywhere
    temporary = cache_directory()
    assert temporary != home
    assert mode(temporary) == 0o700
    assert temporary == directory._temporary()
