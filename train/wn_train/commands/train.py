"""wn-train: a folder of recordings in, a checkpoint out."""

from __future__ import annotations

from pathlib import Path

import click

from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_train.commands import one_voice
from wn_train.pytorch_needed import pytorch_needed


@command(before_error=one_voice.leave_it_to_the_first)
@click.argument("data", type=a_path)
@click.option("-o", "--output", type=a_path, required=True, help="Run folder.")
@click.option("--preset", help="tiny, small, medium or paper.  [default: small]")
@click.option("--config", "file", type=a_path, help="TOML over the preset.")
@click.option(
    "--init",
    type=a_path,
    metavar="CKPT|RUN",
    help="Train on a checkpoint's network, as wn-import or another run wrote it.",
)
@click.option(
    "--steps",
    type=click.IntRange(1, 10**9),
    metavar="N",
    help="Short for training.steps of the configuration.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the run folder's last.pt, with its configuration unless one is given.",
)
@click.option(
    "--threads", type=click.IntRange(1, 1024), metavar="N", help="CPU threads; default: all cores."
)
def main(
    data: Path,
    output: Path,
    preset: str | None,
    file: Path | None,
    init: Path | None,
    steps: int | None,
    resume: bool,
    threads: int | None,
) -> None:
    """Train a WaveNet on the recordings in DATA.

    DATA holds metadata.csv (columns file, split and one per condition), or <speaker>/*.wav, or the
    *.wav of one speaker.
    """
    one_voice.hush()
    with pytorch_needed("wn-train"):
        from wn_train.training.run import run
    run(data, output, preset, file, init, steps, resume, threads)
