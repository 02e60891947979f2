"""wn-inspect: checkpoints, what a model is shipped as, and by the runtime model directories."""

from __future__ import annotations

from pathlib import Path

import click

from wn_runtime.commands import next_step, say
from wn_runtime.commands.command import command
from wn_runtime.commands.given import a_path
from wn_runtime.errors import WavestepError
from wn_runtime.model.manifest import MANIFEST
from wn_train.pytorch_needed import pytorch_needed
from wn_train.run_files import checkpoint_of

_SUFFIXES = (".pt", ".pth", ".ckpt")


@command()
@click.argument("path", type=a_path)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def main(path: Path, json_: bool) -> int:
    """What a model directory, a file in it, a checkpoint or a run's folder holds.

    Also a C API folder, a packed model of one (.wn), a site and a bundle, folder or .tar.
    Of a model directory: spec, conditions, state, engines, files and parity. Exit code 1 when a
    file is missing or not the one its record describes. Nothing in what is looked at is run.
    """
    path = checkpoint_of(path)
    if path.suffix.lower() not in _SUFFIXES:
        return _directory(path, json_)
    if not path.is_file():
        raise WavestepError(f"{path} is not there; name a checkpoint, or a model directory")
    with pytorch_needed(f"wn-inspect of a checkpoint ({path.name})"):
        from wn_export.commands import checkpoint_view
        from wn_train import checkpoint
    found = checkpoint.load(path)
    if json_:
        say.as_json(checkpoint_view.as_json(found))
        return 0
    say.table(checkpoint_view.as_text(found, path))
    say.line("")
    say.line(next_step.line("wn-export", path))
    return 0


def _directory(path: Path, json_: bool) -> int:
    """What wn-export made of a model, for our own engines or for others."""
    from wn_runtime.commands import directory_view

    inside = path if path.is_dir() else path.parent
    if not (inside / MANIFEST).exists():
        from wn_export.commands import shipped_view

        if (code := shipped_view.show(path, json_)) is not None:
            return code
    return directory_view.show(path, json_)
