"""Under torchrun an error is said once, by the first process of a machine; none is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.commands.process import start
from wn_train.commands import one_voice


def test_a_typo_is_said_once_and_is_every_processs_exit_code(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "wn_train", str(tmp_path), "-o", str(tmp_path / "run"), "--stepz", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stderr.count("error: No such option '--stepz'.") == 1, done.stderr
    codes = [line.split()[2] for line in done.stderr.splitlines() if "exitcode  :" in line]
    assert set(codes) == {"2"}


def test_an_error_that_the_first_has_not_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "from wn_train.commands import one_voice; one_voice.WAIT = 0.01; "
    script += "from wn_train.commands.train import main; main()"
    monkeypatch.setattr(
        "tests.train.commands.process.command", lambda *_: [sys.executable, "-c", script]
    )
    with start(tmp_path, WORLD_SIZE="2", LOCAL_RANK="1") as process:
        _, said = process.communicate()
    assert process.returncode == 2
    assert said.startswith("error: Missing argument 'DATA'")


@pytest.mark.parametrize(
    ("size", "rank", "first"), [("1", "3", True), ("2", "0", True), ("2", "1", False)]
)
def test_the_first_is_the_first_of_its_machine(
    size: str, rank: str, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", size)
    monkeypatch.setenv("LOCAL_RANK", rank)
    assert one_voice.is_first() is first
