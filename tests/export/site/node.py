"""JavaScript of the site, asked through node: JSON in, JSON out, arrays of numbers in base64."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import wn_export

SITE = Path(wn_export.__path__[0]) / "site"
NODE = shutil.which("node")


def _version() -> int:
    if NODE is None:
        return 0
    told = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=False).stdout
    major = told.removeprefix("v").split(".")[0]
    return int(major) if major.isdigit() else 0


needs_node = pytest.mark.skipif(_version() < 18, reason="needs node, 18 or newer")


def ask(script: Path, question: Any) -> Any:
    """What a script prints, a module that has SITE as its argument and the question on stdin."""
    assert NODE is not None
    done = subprocess.run(
        [NODE, str(script), SITE.as_uri()],
        input=json.dumps(question, ensure_ascii=True),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


def sent(data: bytes) -> str:
    """Bytes in a question."""
    return base64.b64encode(data).decode()


def array(text: str, dtype: str) -> NDArray[Any]:
    """An array of an answer."""
    return np.frombuffer(base64.b64decode(text), dtype)
