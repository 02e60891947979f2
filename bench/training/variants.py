"""Every head with every conditioning: bits per 16-bit sample after a short training, and parity.

    python -m bench.training.variants DATA [--steps 300] [--out FILE]

DATA is a folder that wn-features wrote, with a column speaker. Each variant is a small model (12
layers, R24) trained for the same steps on the same chunks, exported, and held against PyTorch in
every engine and precision that is here. The bits tell that a
head and a conditioning learn, not which is best: that takes longer. `fail` means outside tolerance.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from pathlib import Path

import click

from bench.repository import invocation
from wn_export.bench.machine import machine_facts
from wn_export.package.export import Options, export_checkpoint
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_train.training.run import run as train

HEADS = {
    "softmax 256 mu-law": '{ kind = "softmax" }',
    "softmax 512 linear": '{ kind = "softmax", classes = 512, coding = "linear" }',
    "logistic x 5": '{ kind = "logistic", components = 5 }',
    "gaussian": '{ kind = "gaussian" }',
}
FRAMES = '[model.frames]\nhidden = 32\nupsampling = "{}"\n'
CONDITIONINGS = {
    "speaker": "",
    "frames, repeat": FRAMES.format("repeat"),
    "frames, linear": FRAMES.format("linear"),
    "frames, transposed": FRAMES.format("transposed"),
    "context": "[model.context]\nchannels = 24\nlayers = 4\n",
    "frames and context": FRAMES.format("linear") + "[model.context]\nchannels = 24\nlayers = 4\n",
}
CONFIG = """
[model]
cycle = 32
layers = 12
residual_channels = 24
skip_channels = 48
head_channels = 48
output = {head}
{conditioning}
[data]
conditions = ["speaker"]
[training]
steps = {steps}
batch_samples = 10_240
precision = "{precision}"
validate_every = {steps}
sample_every = 0
"""


def made(data: Path, folder: Path, config: str) -> Manifest:
    """The manifest of a variant, trained and exported."""
    (folder / "variant.toml").write_text(config)
    with contextlib.redirect_stderr(io.StringIO()):
        train(data, folder / "run", None, folder / "variant.toml", None, None, False, 1)
    best = folder / "run" / "best.pt"
    passed = export_checkpoint(best, folder / "out", Options(), lambda _: None)
    return manifests.read(folder / ("out" if passed else "out.failed"))


def row(head: str, conditioning: str, manifest: Manifest) -> str:
    """One line of the table."""
    bits = manifest.source["valid_bits_16"]
    engines = "".join(
        f"{each.delta_bits or 0:+12.4f}{'' if each.passed else ' fail'}" for each in manifest.parity
    )
    bias = all(each.passed for each in manifest.conditioner_parity)
    return f"{head:<20}{conditioning:<20}{bits:9.3f}{engines}{'pass' if bias else 'fail':>8}"


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("--steps", default=300, show_default=True)
@click.option("--precision", default="bf16", show_default=True, help="Of the training.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the table there, too.")
def main(data: Path, steps: int, precision: str, out: Path | None) -> None:
    """Print the table, a line as it is made."""
    machine = f"{machine_facts()['cpu']}, {os.cpu_count()} cores"
    lines = [invocation(), machine, ""]
    for head, output in HEADS.items():
        for conditioning, table in CONDITIONINGS.items():
            config = CONFIG.format(
                head=output, conditioning=table, steps=steps, precision=precision
            )
            with tempfile.TemporaryDirectory() as folder:
                manifest = made(data, Path(folder), config)
            if len(lines) == 3:
                names = "".join(f"{' '.join((e.engine, e.precision)):>12}" for e in manifest.parity)
                lines += [f"{'':<40}{'bits':>9}  bits above PyTorch's, in the head's own"]
                lines += [f"{'head':<20}{'conditioning':<20}{'of 16':>9}{names}{'bias':>8}"]
                print("\n".join(lines))
            lines.append(row(head, conditioning, manifest))
            print(lines[-1], flush=True)
    if out is not None:
        out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
