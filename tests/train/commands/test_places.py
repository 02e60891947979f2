"""wn-train in a place that is shared, full, or poor in everything: one line, nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.train.commands.process import command, prepare, start, until
from wn_runtime import extras
from wn_train import checkpoint


def test_of_two_that_train_into_one_folder_the_second_is_refused(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    with start(folder, "--steps", "1000000") as first:
        until(first, "step 4:")
        first.send_signal(signal.SIGSTOP)  # it holds the folder, and not the processor
        for more in ((), ("--resume",)):
            second = subprocess.run(
                command(folder, "--steps", "2000000", *more),
                capture_output=True,
                text=True,
                check=False,
            )
            assert second.returncode == 2
            assert "another wn-train is training into it" in second.stderr
            assert second.stderr.count("\n") == 1
        first.kill()
        first.communicate()
    steps = checkpoint.load(folder / "run" / "last.pt").step + 2
    third = subprocess.run(
        command(folder, "--steps", str(steps), "--resume"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert third.returncode == 0, third.stderr


def test_what_a_killed_run_was_writing_is_cleared_by_the_next(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    (folder / "run").mkdir()
    left = folder / "run" / ".last.pt.0123abcd.part.pt"
    left.write_bytes(b"half")
    with start(folder, "--steps", "2") as process:
        process.communicate()
    assert process.returncode == 0
    names = {path.name for path in (folder / "run").iterdir()}
    assert names == {"best.pt", "last.pt", "release.pt", "config.toml", "tensorboard"}


def test_a_disk_that_is_full_is_one_line_and_keeps_what_is_there(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    limited = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.argv = sys.argv[1:]
sys.argv[0] = "wn-train"
from wn_train.commands.train import main
main()
"""
    with start(folder, "--steps", "2") as process:
        process.communicate()
    before = (folder / "run" / "last.pt").read_bytes()
    arguments = command(folder, "--steps", "100", "--resume")[2:]
    done = subprocess.run(
        [sys.executable, "-c", limited, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if not line.startswith(("run:", "step"))]
    assert len(errors) == 1
    assert "t.pt cannot be written: File too large; the older one is kept" in errors[0]
    assert (folder / "run" / "last.pt").read_bytes() == before


def test_a_run_without_a_home_a_terminal_or_an_error_stream_is_trained(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    poor = {"PATH": os.environ["PATH"], "LC_ALL": "C", "MPLCONFIGDIR": "/proc/nowhere"}
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    done = subprocess.run([*closed, *command(folder, "--steps", "4")], env=poor, check=False)
    assert done.returncode == 0
    assert checkpoint.load(folder / "run" / "release.pt").step in (2, 4)


def test_nothing_but_its_own_lines_is_on_stderr(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    settings = (folder / "c.toml").read_text().replace("sample_every = 0", "sample_every = 2")
    (folder / "c.toml").write_text(settings + "sample_seconds = 0.01\n")
    poor = {"PATH": os.environ["PATH"], "LC_ALL": "C", "MPLCONFIGDIR": "/proc/nowhere"}
    done = subprocess.run(
        command(folder, "--steps", "4"), capture_output=True, text=True, env=poor, check=False
    )
    assert done.returncode == 0
    lines = [line.split(":")[0].split(" ")[0] for line in done.stderr.splitlines()]
    assert lines == ["run", "step", "step", "done", "next"]
    assert done.stdout == ""


def test_a_folder_of_another_encoding_is_one_line(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    arguments = command(folder, "--steps", "1")
    arguments[arguments.index("-o") + 1] = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[2J")
    done = subprocess.run(arguments, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"\x1b" not in done.stderr
    assert b"set name in a configuration" in done.stderr


@pytest.mark.parametrize("missing", ["torch", "tensorboard", "soundfile"])
def test_without_a_library_it_says_how_to_get_it(tmp_path: Path, missing: str) -> None:
    (tmp_path / missing).mkdir()
    (tmp_path / missing / "__init__.py").write_text(f"raise ImportError('no {missing} here')")
    done = subprocess.run(
        [sys.executable, "-m", "wn_train", "data", "-o", "run"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"error: wn-train needs torch (no {missing} here); {extras.install_train()}\n"
    )


def test_a_library_that_cannot_read_its_variables_is_one_line(tmp_path: Path) -> None:
    for variable in ("TORCH_LOGS", "TQDM_MININTERVAL"):
        done = subprocess.run(
            [sys.executable, "-m", "wn_train", "data", "-o", str(tmp_path / "run")],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, variable: "nonsense"},
        )
        assert done.returncode == 2
        assert done.stderr.startswith("error: wn-train needs torch (")
        assert done.stderr.endswith("); it is there, but cannot be imported here\n")


def test_its_help_needs_no_torch(tmp_path: Path) -> None:
    script = "import sys; import wn_train.commands.train; print(*sys.modules)"
    arguments = [sys.executable, "-c", script]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert {"torch", "numpy", "soundfile"}.isdisjoint(done.stdout.split())


def test_an_environment_of_torchrun_that_is_none_is_one_line(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    for changes in ({"WORLD_SIZE": "many"}, {"LOCAL_RANK": "-1"}, {"WORLD_SIZE": "2"}):
        with start(folder, "--steps", "1", **changes) as process:
            _, said = process.communicate()
        assert process.returncode == 2, said
        assert said.count("\n") == 1
