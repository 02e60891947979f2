"""The page in a real browser: Chromium, driven through playwright-core in node."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.export.site.node import NODE, needs_node

SCRIPT = Path(__file__).with_name("page.mjs")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def _has_playwright() -> bool:
    if NODE is None:
        return False
    done = subprocess.run([NODE, "-e", "require('playwright-core')"], capture_output=True)
    return done.returncode == 0


needs_browser = [
    needs_node,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
    pytest.mark.skipif(not _has_playwright(), reason="needs playwright-core in $NODE_PATH"),
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_said: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, as any static server has it."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def visited(folder: Path, visits: Sequence[dict[str, Any]]) -> list[Any]:
    """What was seen of the pages in a folder, see page.mjs."""
    assert NODE is not None
    with served(folder) as url:
        question = {"browser": CHROMIUM, "url": url, "visits": visits}
        done = subprocess.run(
            [NODE, str(SCRIPT)],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        for answer in answers:
            elsewhere = [a for a in answer["asked"] if not a.startswith((url, f"blob:{url}"))]
            assert not elsewhere, elsewhere
        return answers
