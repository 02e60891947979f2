"""Starting Python as a child that runs nothing of the directory it is started in.

`python -c` and `python -m` put the working directory first on the path that modules are found on:
a file `json.py` beside somebody's model would be run. The child is isolated instead (`-I`: no
working directory, no PYTHON… variables, no user site), and then given this process's own path, so
that it finds what this process finds and nothing else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

NEUTRAL = Path(os.environ.get("SYSTEMROOT", "C:\\Windows") if sys.platform == "win32" else "/")
"""Where children are started: nobody but an administrator puts files there."""


def python(code: str, *arguments: str) -> list[str]:
    """The command that runs `code` in another interpreter; start it in `NEUTRAL`.

    arguments: its `sys.argv[1:]`. Relative paths among them must have been made absolute.
    """
    path = [entry for entry in sys.path if os.path.isabs(entry)]  # noqa: PTH117 (they are strings)
    return [sys.executable, "-I", "-c", f"import sys\nsys.path[:] = {path!r}\n{code}", *arguments]
