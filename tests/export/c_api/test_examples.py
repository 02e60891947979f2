"""The examples elsewhere: on Windows, and on a device that counts in 32 bits."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import wn_export.c_api.folder
from tests.runtime.engines.native.wheel import needs_zig
from wn_export.c_api.source import HEADER
from wn_runtime.engines.native import zig

EXAMPLES = Path(wn_export.c_api.folder.__file__).with_name("examples")
READS_FRAMES = """
#define main example
#include "frames.c"
#undef main
int main(int count, char **given) {
    int32_t frames;
    frames_of(given[count - 1], 4, &frames);
    return printf("%d", (int)frames) < 0;
}
"""
FLAGS = ("-target", "arm-linux-musleabihf", "-O1", "-ffunction-sections", "-Wl,--gc-sections")


@pytest.mark.slow
@needs_zig
@pytest.mark.skipif(not shutil.which("qemu-arm"), reason="needs qemu-user")
def test_frames_that_only_a_count_of_32_bits_would_have_are_refused(tmp_path: Path) -> None:
    code, npy = tmp_path / "reads.c", tmp_path / "frames.npy"
    code.write_text(READS_FRAMES)
    include = [f"-I{folder}" for folder in (EXAMPLES, HEADER.parent)]
    command = [*zig.command(), *FLAGS, *include, str(code), "-o", str(tmp_path / "reads"), "-lm"]
    subprocess.run(command, check=True, env={**os.environ, **zig.environment()})
    reads = ["qemu-arm", str(tmp_path / "reads"), str(npy)]
    np.save(npy, np.ones((3, 4), np.float32))
    assert subprocess.run(reads, capture_output=True, check=True).stdout == b"3"
    whole = npy.read_bytes()
    for rows, numbers in ((b"1073741824", 0), (b"1073741827", 12)):  # times 4: 0 and 12 of 2^32
        head = whole[:128].replace(b"(3, 4), }" + b" " * 9, b"(" + rows + b", 4), }")
        npy.write_bytes(head + whole[128:][: 4 * numbers])
        done = subprocess.run(reads, capture_output=True, check=False)
        assert done.returncode == 2, done.stdout
        assert b"numbers for " + rows + b" frames; it is empty, cut short or" in done.stderr


@needs_zig
@pytest.mark.parametrize("example", ["say", "frames"])
def test_they_are_programs_of_windows(example: str, tmp_path: Path) -> None:
    """Whose C library lacks aligned_alloc. Objects alone: the library is a model's."""
    include = [f"-I{folder}" for folder in (EXAMPLES, HEADER.parent)]
    program = tmp_path / f"{example}.obj"
    target = [
        "-target",
        "x86_64-windows-gnu",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-unused-function",
    ]
    command = [*zig.command(), *target, *include, "-c", str(EXAMPLES / f"{example}.c")]
    command += ["-o", str(program)]
    subprocess.run(command, check=True, env={**os.environ, **zig.environment()})
    assert program.read_bytes()[:2] == b"\x64\x86"
