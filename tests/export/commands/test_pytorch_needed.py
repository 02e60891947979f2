"""Those without PyTorch or onnx are told so in one line, by every command that needs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.commands.invoke import run_without
from tests.models import model_dir, specs
from wn_runtime import extras, installation


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
    assert f"needs torch (torch is not here); {extras.install_train()}" in done.stderr


def test_without_onnx_an_export_is_refused_in_one_line(tmp_path: Path) -> None:
    directory = model_dir.write_model(tmp_path / "voice", specs.small_spec((1,)))
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    done = run_without(["onnx"], "export", directory)
    assert done.returncode == 2, done.stderr
    fix = installation.install("export")
    assert done.stderr == f"error: wn-export needs onnx (onnx is not here); {fix}\n"
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
