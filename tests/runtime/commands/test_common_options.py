"""-h, --version, -q and -v of every command, its colours, and what a shell offers after Tab."""

from __future__ import annotations

import importlib
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_runtime.commands import colour, next_step, say
from wn_runtime.commands.command import command
from wn_runtime.log import log

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = pytest.importorskip("tomli")

ROOT = Path(__file__).parents[3]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "scripts"
]
RUN = [sys.executable, "-m", "wn_runtime.commands.run"]


@command()
def talk() -> None:
    say.note("a note")
    log.info("a detail")
    say.line("parity   native fp32  PASS")
    say.line(next_step.line("wn-run", "DIR"))


@pytest.mark.parametrize(
    ("options", "out", "err"),
    [
        ([], "parity   native fp32  PASS\nnext     wn-run DIR\n", ["note: a note"]),
        (["-q"], "parity   native fp32  PASS\n", []),
        (
            ["-v"],
            "parity   native fp32  PASS\nnext     wn-run DIR\n",
            ["verbose: wavestep ", "note: a note", "verbose: a detail", "verbose: 0.0"],
        ),
    ],
)
def test_how_much_it_says(options: list[str], out: str, err: list[str]) -> None:
    for _ in range(2):  # a second run in one process says as much, and no line twice
        result = CliRunner().invoke(talk, options)
        assert (result.exit_code, result.stdout) == (0, out)
        lines = result.stderr.splitlines()
        assert len(lines) == len(err)
        assert all(line.startswith(begin) for line, begin in zip(lines, err, strict=True))


def test_quiet_and_verbose_exclude_one_another() -> None:
    result = CliRunner().invoke(talk, ["-q", "-v"])
    assert result.exit_code == 2
    assert result.stderr == "error: -q and -v exclude one another; give one\n"


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_command_has_them(name: str) -> None:
    module, _, function = SCRIPTS[name].partition(":")
    main: click.Command = getattr(importlib.import_module(module), function)
    assert CliRunner().invoke(main, ["--version"]).stdout.startswith("main ")
    short, long = (CliRunner().invoke(main, [option]) for option in ("-h", "--help"))
    assert short.exit_code == long.exit_code == 0
    assert short.stdout == long.stdout
    for option in ("-q, --quiet", "-v, --verbose", "--version", "-h, --help"):
        assert option in short.stdout


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_sees_colours_unless_told_not_to(
    environment: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    master, slave = pty.openpty()
    known = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    process = subprocess.run(
        [*RUN, str(tmp_path / "none")],
        stderr=slave,
        env={**known, "TERM": "xterm", **environment},
        timeout=60,
    )
    os.close(slave)
    said = os.read(master, 4096).decode()
    os.close(master)
    assert process.returncode == 2
    assert said.startswith("\x1b[31m\x1b[1merror:\x1b[0m " if coloured else "error: ")


def test_a_file_sees_none(tmp_path: Path) -> None:
    done = subprocess.run([*RUN, str(tmp_path / "none")], capture_output=True, timeout=60)
    assert done.stderr.startswith(b"error: ")


def test_what_is_painted() -> None:
    assert colour.painted("parity  PASS") == "parity  \x1b[32mPASS\x1b[0m"
    assert colour.painted("next     wn-run x").startswith("\x1b[36m\x1b[1mnext\x1b[0m ")
    assert colour.painted("a next PASSage, note: none") == "a next PASSage, note: none"


def completed(words: str, *, at: Path) -> list[str]:
    """What bash offers for the last of the words."""
    given = words.split(" ")
    environment = {
        **os.environ,
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(given) - 1),
        "_WN_RUN_COMPLETE": "bash_complete",
    }
    program = "from wn_runtime.commands.run import main; main(prog_name='wn-run')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=at,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.split()]


def test_a_shell_completes_what_the_model_has(tmp_path: Path) -> None:
    write_model(tmp_path / "voice", CORNERS["two_conditions"], ("fp32",))
    assert completed("wn-run voice --speaker ", at=tmp_path) == ["ann", "bob", "eve"]
    assert completed("wn-run voice --seed 3 --speaker b", at=tmp_path) == ["bob"]
    assert completed("wn-run voice --set mood=", at=tmp_path) == ["mood=calm", "mood=loud"]
    assert completed("wn-run voice --tag l", at=tmp_path) == ["loud"]
    assert completed("wn-run voice --engine nat", at=tmp_path) == ["native"]
    assert completed("wn-run voice --precision b", at=tmp_path) == ["bf16"]
    assert completed("wn-run nothing --speaker ", at=tmp_path) == []
    assert completed("wn-run --speaker ", at=tmp_path) == []


def test_interrupting_the_imports_is_quiet(tmp_path: Path) -> None:
    """The module that a command begins with, from a script named as one."""
    script = tmp_path / "wn-slow"
    script.write_text("import wn_runtime.commands, time\nprint(1, flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert said == b""


def test_a_program_that_imports_them_keeps_its_own_ctrl_c() -> None:
    program = "import signal; import wn_runtime.commands; print(signal.getsignal(signal.SIGINT))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert "default_int_handler" in done.stdout


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [("wn-run", None, "1"), ("wn-run", "3", "3"), ("wn-train", None, None), ("other", None, None)],
)
def test_blas_takes_no_core_from_a_stream(
    name: str, given: str | None, expected: str | None, tmp_path: Path
) -> None:
    script = tmp_path / name
    script.write_text(
        "import os, wn_runtime.commands\nprint(os.environ.get('OPENBLAS_NUM_THREADS'))\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    if given is not None:
        environment["OPENBLAS_NUM_THREADS"] = given
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == str(expected)
