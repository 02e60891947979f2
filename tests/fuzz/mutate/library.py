"""Machine code in a model: a library that leaves a mark as soon as it is loaded."""

from __future__ import annotations

import functools
import platform
import subprocess
import tempfile
from pathlib import Path

from tests.fuzz.mutate import manifest

_SOURCE = """
#include <stdio.h>
#include <stdlib.h>
__attribute__((constructor)) static void mark(void) {
    const char *path = getenv("WN_FUZZ_MARKER");
    FILE *file = path ? fopen(path, "w") : 0;
    if (file) fclose(file);
}
const char *wn_shapes(void) { mark(); return "x"; }
int wn_prepare(void) { return 0; }
"""


def plant(path: Path, file: str, engine: str, precision: str, batch: int) -> None:
    """A hostile library as an artifact of the model directory `path`, its checksum right."""
    (path / file).write_bytes(_compiled())
    built = {"march": "native", "machine": platform.machine(), "features": [], "shapes": "x"}
    manifest.artifact(path, file, engine, precision, batch, built)


def replace(path: Path) -> None:
    """The same in place of a library that was there."""
    path.write_bytes(_compiled())


@functools.cache
def _compiled() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "x.c"), Path(folder, "x.so")
        source.write_text(_SOURCE, "ascii")
        command = ["cc", "-shared", "-fPIC", "-o", str(library), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return b"\x7fELF, but no compiler is here"
        return library.read_bytes()
