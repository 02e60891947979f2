"""How soon audio leaves wn-run when frames arrive live.

    python -m bench.streaming.frames MODEL FRAMES.npy [--runs 10] [--speaker NAME] [--out FILE]

wn-run is started with `--frames - --raw -` and left to open the model; then the rows of FRAMES are
written to its stdin at their own pace, one every hop. What is measured is how long after the row
that the first block needs (its own and the lookahead) the first sample comes out, and from then on
how long after each row its audio is whole. Start and opening are not part of it.
"""

from __future__ import annotations

import os
import selectors
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from bench.repository import invocation
from wn_runtime.conditioning import frame_file
from wn_runtime.conditioning.timing import Timing
from wn_runtime.model.package import ModelPackage

OPENING_S = 3.0
BYTES = 2
"""Of a sample on stdout."""


def once(
    command: list[str], rows: NDArray[np.float32], timing: Timing, hop_s: float
) -> list[float]:
    """Seconds from the row that a block waits for to the block's last byte, block by block."""
    ahead = timing.lookahead // timing.hop
    written: list[float] = []
    late: list[float] = []
    made = 0
    with (
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        ) as process,
        selectors.DefaultSelector() as ready,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        time.sleep(OPENING_S)
        ready.register(process.stdout, selectors.EVENT_READ)
        began = time.perf_counter()
        for number, row in enumerate(rows):
            while (left := began + number * hop_s - time.perf_counter()) > 0:
                if ready.select(left):
                    made += len(os.read(process.stdout.fileno(), 1 << 16))
                    now = time.perf_counter()
                    while len(late) < made // (BYTES * timing.hop):
                        late.append(now - written[len(late) + ahead])
            # Before it is written: on one core the audio may be there before write returns.
            written.append(time.perf_counter())
            process.stdin.write(row.tobytes())
        process.kill()
    return late


@click.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.argument("frames", type=click.Path(path_type=Path, exists=True))
@click.option("--runs", default=10, show_default=True)
@click.option("--speaker", help="As in wn-run.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the lines there, too.")
def main(model: Path, frames: Path, runs: int, speaker: str | None, out: Path | None) -> None:
    """Print the latencies."""
    spec = ModelPackage(model).spec
    timing = Timing.of(spec.conditioning)
    rows, hop_s = frame_file.read(frames), timing.hop / spec.sample_rate
    command = [sys.executable, "-m", "wn_runtime.commands.run", str(model), "--frames", "-"]
    command += ["--raw", "-", *(["--speaker", speaker] if speaker else [])]
    found = [once(command, rows, timing, hop_s) for _ in range(runs)]
    first = [1000 * late[0] for late in found]
    later = [1000 * one for late in found for one in late[1:]]
    lines = [
        invocation(),
        f"{runs} runs, a frame every {1000 * hop_s:.1f} ms, lookahead "
        f"{timing.lookahead // timing.hop} frames; load {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores; milliseconds after the frame that a block waits for",
        f"first block: median {statistics.median(first):.1f}, most {max(first):.1f}",
        f"later blocks: median {statistics.median(later):.1f}, "
        f"99 % within {np.quantile(later, 0.99):.1f}, most {max(later):.1f}",
    ]
    print("\n".join(lines))
    if out is not None:
        out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
