"""wn-inspect of a checkpoint: what it holds, in words and as JSON, and of what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_export.commands.inspecting import main
from wn_train import checkpoint
from wn_train.checkpoint import Checkpoint
from wn_train.network.wavenet import WaveNet

SPEC = CORNERS["two_conditions"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    state = WaveNet(SPEC).state_dict()
    clip = {"samples": torch.zeros(4000, dtype=torch.uint8), "conditions": {"speaker": "bob"}}
    path = tmp_path / "run" / "best.pt"
    path.parent.mkdir()
    given = Checkpoint(
        "voice", SPEC, False, state, state, 70, 3.25, attribution="nobody's", clips=[clip, clip]
    )
    checkpoint.save(path, checkpoint.release(given))
    return path


def test_a_checkpoint_and_its_runs_folder(trained: Path) -> None:
    result = run(trained)
    assert result.exit_code == 0, result.output
    for words in (
        "speaker (categorical, 3): ann, bob, eve",
        "70 steps",
        "3.2500 bits per sample on valid",
        "released: without the optimiser's state",
        "2 × 0.50 s, speaker bob",
        "nobody's",
    ):
        assert words in result.stdout
    assert result.stdout.splitlines()[-1] == f"next     wn-export {trained}"
    assert run(trained.parent).stdout == result.stdout


def test_a_run_that_has_no_best_checkpoint_yet(trained: Path) -> None:
    trained.rename(trained.with_name("last.pt"))
    result = run(trained.parent)
    assert result.exit_code == 2
    assert "has no best.pt yet (training was stopped" in result.stderr
    assert run(trained.with_name("last.pt")).exit_code == 0


def test_as_json(trained: Path) -> None:
    found = json.loads(run(trained, "--json").stdout)
    assert found["spec"] == SPEC.to_dict()
    assert (found["released"], found["step"], found["valid_bits"]) == (True, 70, 3.25)
    assert found["clips"] == [{"samples": 4000, "conditions": {"speaker": "bob"}}] * 2


def test_a_model_directory_as_before(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "voice", SPEC)
    result = run(directory)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("model ")


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind", b"\x80\x02cos\nsystem\n."])
def test_what_is_no_checkpoint(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.pt"
    if content is not None:
        path.write_bytes(content)
    result = run(path)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {path} is not ")
    assert len(result.stderr.splitlines()) == 1
