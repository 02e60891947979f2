"""A temporary folder is gone at the end, or was never made, however few descriptors there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wn_runtime import temporary

EXHAUST = """
import os, resource, sys
from pathlib import Path
from wn_runtime import temporary

resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2)
try:
    with temporary.folder(inside=Path(sys.argv[2])) as path:
        for number in range(99):
            os.open(path / str(number), os.O_CREAT | os.O_WRONLY)
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize("descriptors", [3, 4, 6, 8, 9, 10, 12, 14, 20])
def test_nothing_is_left_where_descriptors_run_out(tmp_path: Path, descriptors: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXHAUST, str(descriptors), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("Too many open files\n", "")
    assert list(tmp_path.iterdir()) == []


def test_what_it_holds_goes_with_it_after_an_error_too(tmp_path: Path) -> None:
    def fill() -> None:
        with temporary.folder("part-", tmp_path) as path:
            assert path.name.startswith("part-")
            assert path.stat().st_mode & 0o777 == 0o700
            (path / "below").mkdir()
            (path / "below" / "file").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert list(tmp_path.iterdir()) == []
