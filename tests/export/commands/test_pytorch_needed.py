"""Those without PyTorch are told so in one line, by every command that reads a checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import model_dir, specs
from tests.export.commands.invoke import run_without


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("export", ["CKPT"]),
        ("parity", ["DIR", "--checkpoint", "CKPT"]),
        ("bench", ["DIR", "--checkpoint", "CKPT"]),
    ],
)
def test_without_torch_a_checkpoint_is_refused_in_one_line(
    tmp_path: Path, command: str, arguments: list[str]
) -> None:
    directory = model_dir.write_model(tmp_path / "voice", specs.small_spec((1,)))
    checkpoint = tmp_path / "voice.pt"
    checkpoint.write_bytes(b"never read")
    paths = {"CKPT": checkpoint, "DIR": directory}
    done = run_without(["torch"], command, *(paths.get(each, each) for each in arguments))
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "needs torch (torch is not here); pip install 'wavestep[train]'" in done.stderr
