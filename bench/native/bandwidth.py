"""How fast one core reads memory of a given size: the limit of a loop that reads all its weights.

python -m bench.native.bandwidth
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

from wn_runtime.engines.native import compiler as build

# Four independent streams of vectors, the largest that the CPU has; huge pages where they are
# given, as for the engine's own memory.
PROGRAM = """
#include "vector.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}
int main(int count, char **words) {
    size_t bytes = (size_t)atol(words[count - 1]) / 512 * 512;
    char *memory = aligned_alloc(1 << 21, (bytes + (1 << 21)) >> 21 << 21);
    madvise(memory, (bytes + (1 << 21)) >> 21 << 21, MADV_HUGEPAGE);
    memset(memory, 1, bytes);
    double best = 1e9, begin = now();
    vi sums[4] = {{0}, {0}, {0}, {0}};
    while (now() - begin < 0.3) {
        double start = now();
        for (size_t i = 0; i < bytes; i += 4 * sizeof(vi))
            UNROLL for (int j = 0; j < 4; j++) sums[j] |= load_int(memory + i + j * sizeof(vi));
        double took = now() - start;
        if (took < best) best = took;
    }
    vi sum = sums[0] | sums[1] | sums[2] | sums[3];
    printf("%g %d\\n", bytes / best, sum[0]);
}
"""


@functools.cache
def _program() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bandwidth-"))
    (folder / "read.c").write_text(PROGRAM)
    compiler = build.find_compiler()
    flags = [flag for flag in compiler.flags if flag not in ("-shared", "-fPIC")]
    command = [*compiler.command, *flags, *compiler.native(), "-I", str(build.SOURCE)]
    command += ["-o", str(folder / "read"), str(folder / "read.c")]
    subprocess.run(command, check=True, env=compiler.environment())
    return folder / "read"


def read_bandwidth(size: int) -> float:
    """Bytes per second that one core reads, again and again, from memory of `size` bytes."""
    done = subprocess.run([_program(), str(size)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


def main() -> None:
    """A table over sizes."""
    for kib in (32, 256, 640, 1024, 1280, 1536, 2560, 5120):
        print(f"{kib:5} KiB  {read_bandwidth(kib * 1024) / 1e9:6.1f} GB/s")


if __name__ == "__main__":
    main()
