"""Commands that break the law, each in its own way: what the harness must find."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path


def main() -> None:
    """Do what the first argument names; nothing for `good`."""
    {
        "good": lambda: print("done"),
        "refuses": refuses,
        "verbose": lambda: print("verbose: 0.1 s", file=sys.stderr),
        "traceback": traceback,
        "hang": lambda: time.sleep(60),
        "memory": memory,
        "crash": os.abort,
        "exit": lambda: sys.exit(7),
        "half": lambda: Path("out.wav").write_bytes(b"RIFF"),
        "warning": lambda: warnings.warn("the end is near", stacklevel=1),
        "silent": lambda: sys.exit(2),
        "endless": lambda: refuses("x" * 5000),
        "lost": lambda: Path("clip.wav").unlink(),
        "changed": lambda: Path("clip.wav").write_bytes(b""),
        "stray": lambda: Path("~").mkdir(),
        "leftover": lambda: Path(".out.wav.1234.part").touch(),
        "outside": lambda: Path("../victim/notes").write_text("mine"),
        "escape": lambda: print("\x1b]0;title\x07"),
        "bidi": lambda: refuses("name \u202e is long"),
        "daemon": lambda: subprocess.Popen(["sleep", "60"], start_new_session=True),
        "marker": lambda: Path(os.environ["WN_FUZZ_MARKER"]).touch(),
        "exits_badly": exits_badly,
    }[sys.argv[1]]()


def refuses(message: str = "it is wrong; mend it") -> None:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def traceback() -> None:
    raise RuntimeError("nobody caught me")


def memory() -> None:
    taken = b"x" * (1200 << 20)
    print(len(taken))


def exits_badly() -> None:
    """What is noise only at the interpreter's end."""
    sys.stdout.write("x")
    os.close(1)
