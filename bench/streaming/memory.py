"""Memory of a long run: 10 minutes of audio through Stream and FileSink, resident size throughout.

    python -m bench.streaming.memory [MODEL] [--minutes 10] [--engine onnx]

Without MODEL, a tiny random one, so that ten minutes of audio take about two.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import numpy as np

import wn_runtime
from tests.models.model_dir import write_model
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.spec import ModelSpec
from wn_runtime.output.sinks import FileSink, finishing


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--engine", default="onnx", show_default=True)
def main(model: Path | None, minutes: float, engine: str) -> None:
    """Print the resident memory at every tenth of the run, and its growth after the first."""
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            spec = ModelSpec(
                8000,
                (1, 2, 4),
                residual_channels=4,
                gate_channels=8,
                skip_channels=4,
                head_channels=4,
                output=Softmax(16),
            )
            model = write_model(Path(folder), spec)
        opened = wn_runtime.open(model, engine)
        sizes = []
        with finishing(FileSink(Path(folder) / "long.wav", opened.sample_rate)) as sink:
            stream = opened.stream()
            for _ in range(10):
                for block in stream.blocks(minutes * 6):
                    sink.write(block)
                sizes.append(resident())
    made = stream.position / opened.sample_rate
    click.echo(f"{opened.engine} {opened.precision}, {made / 60:.1f} minutes of audio")
    click.echo("resident MB at each tenth: " + " ".join(f"{size / 2**20:.2f}" for size in sizes))
    growth = np.diff(sizes)
    click.echo(f"growth after the first tenth: {growth.sum() / 2**10:.0f} kB")


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
