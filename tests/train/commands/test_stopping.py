"""wn-train asked to stop: once it trains it saves; before, it leaves nothing; it is never noisy."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.train.commands.process import command, prepare, start, until
from wn_train import checkpoint

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "hung up"}
FOREVER = ("--steps", "1000000")


@pytest.mark.parametrize("stop", SIGNALS)
def test_a_request_to_stop_saves_and_says_how_to_go_on(
    tmp_path: Path, stop: signal.Signals
) -> None:
    folder = prepare(tmp_path)
    with start(folder, *FOREVER) as process:
        until(process, "step 2:")  # it trains; now the user has enough
        process.send_signal(stop)
        _, said = process.communicate()
    assert process.returncode == 128 + stop
    *_, saved, following = said.splitlines()
    assert saved.startswith("saved step ")
    assert following == f"next     wn-train {folder / 'data'} -o {folder / 'run'} --resume"
    assert "Traceback" not in said
    step = checkpoint.load(folder / "run" / "last.pt").step
    assert step >= 2
    words = [sys.executable, "-m", "wn_train", *shlex.split(following)[2:]]
    more = subprocess.run(
        [*words, "--threads", "1", "--steps", str(step + 2)], capture_output=True, check=False
    )
    assert more.returncode == 0, more.stderr
    assert checkpoint.load(folder / "run" / "last.pt").step == step + 2


def until_it_listens(process: subprocess.Popen[str]) -> None:
    """Its second thread is the watchdog's, right before its answer to signals.

    Before, a signal finds Python being started, and ends that in Python's own way.
    """
    while process.poll() is None:
        if len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 1:
            return
        time.sleep(0.01)
    pytest.fail("it ended by itself")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="asks Linux")
@pytest.mark.parametrize("stop", SIGNALS)
@pytest.mark.parametrize("after", [0.2, 0.6, 1.4])
def test_before_the_first_step_it_ends_with_one_word_and_leaves_nothing(
    tmp_path: Path, stop: signal.Signals, after: float
) -> None:
    folder = prepare(tmp_path, files=400)
    with start(folder, *FOREVER) as process:
        until_it_listens(process)
        time.sleep(after)
        process.send_signal(stop)
        out, said = process.communicate()
    assert process.returncode == 128 + stop
    assert out == ""
    if not (folder / "run").exists():  # else this machine was quick enough to train
        *before, last = said.splitlines()
        assert last == WORDS[stop]
        assert len(before) <= 1  # what the model is, where it came as far


def test_imports_end_at_once_and_quietly(tmp_path: Path) -> None:
    """torch stands for any library that is being set up when the signal comes."""
    script = """
import os, signal, sys, types
from wn_runtime.commands.command import command
from wn_train.pytorch_needed import pytorch_needed

class Torch:
    def __del__(self):  # where Python prints what is raised, and forgets it
        os.kill(os.getpid(), signal.SIGNAL)
        sum(range(1000))

@command()
def main():
    with pytorch_needed("a test"):
        Torch()
    print("not reached")

main()
"""
    for stop in SIGNALS:
        done = subprocess.run(
            [sys.executable, "-c", script.replace("SIGNAL", stop.name)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (128 + stop, "")
        assert done.stderr == f"{WORDS[stop]}\n"


def test_under_nohup_a_closed_terminal_does_not_stop_it(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    ignoring = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]
    with subprocess.Popen(
        [*ignoring, *command(folder, *FOREVER)], stderr=subprocess.PIPE, text=True
    ) as process:
        until(process, "step 2:")
        process.send_signal(signal.SIGHUP)
        until(process, "step 20:")
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 143


def test_a_terminal_that_is_gone_does_not_keep_it_from_saving(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    last = folder / "run" / "last.pt"
    with start(folder, *FOREVER) as process:
        until(process, "step 4:")
        assert process.stderr is not None
        process.stderr.close()
        before = checkpoint.load(last).step
        while checkpoint.load(last).step < before + 10:
            assert process.poll() is None, "it ended"
            time.sleep(0.05)
        process.send_signal(signal.SIGHUP)
        assert process.wait() == 129
    assert checkpoint.load(last).step >= before + 10
