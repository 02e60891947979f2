"""Two streams on two cores against one stream on one: what the native engine's threads give.

    python -m bench.native.two_streams [--turns 30]

The two take turns in one process on an otherwise idle machine. Each turn generates a quarter of a
second or so; a figure is the median of the turns, and the ratio that of the medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import click

from bench.models import MODELS
from tests.models.model_dir import write_model
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.engine import Engine
from wn_runtime.synthesis.uniforms import uniforms
from wn_targets.presets import PRESETS


def seconds(engine: Engine, steps: int) -> float:
    """Wall time of one call."""
    drawn = uniforms(0, engine.batch, steps, engine.spec.output.uniforms)
    before = time.perf_counter()
    engine.generate(None, drawn)
    return time.perf_counter() - before


@click.command()
@click.option("--turns", default=30, show_default=True)
def main(turns: int) -> None:
    """Print the rates and their ratio for each model and precision."""
    for title, preset in MODELS.items():
        with tempfile.TemporaryDirectory() as scratch:
            write_model(Path(scratch), PRESETS[preset])
            for precision in ("fp32", "int8"):
                one = open_engine(scratch, "native", precision, batch=1, threads=1)
                two = open_engine(scratch, "native", precision, batch=2, threads=2)
                seconds(one, 500)
                steps = max(500, int(0.25 * 500 / seconds(one, 500)))
                taken = [(seconds(one, steps), seconds(two, steps)) for _ in range(turns)]
                alone, both = (statistics.median(column) for column in zip(*taken, strict=True))
                print(
                    f"{title} {precision}: one {steps / alone:,.0f}, two on two cores "
                    f"{2 * steps / both:,.0f} samples/s: {2 * alone / both:.2f}×",
                    flush=True,
                )


if __name__ == "__main__":
    main()
