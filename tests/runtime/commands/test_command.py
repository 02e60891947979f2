"""Every command answers a mistake with one line and an exit code, never with a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from wn_runtime.commands.command import Stopped, command, group
from wn_runtime.errors import WavestepError


@command()
@click.option("--fault", default="none")
@click.option("--count", default=1)
def talk(fault: str, count: int) -> None:
    faults: dict[str, BaseException] = {
        "user": WavestepError("speaker 'teo' is unknown;\n this model has: theo"),
        "disk": OSError(28, "No space left on device"),
        "path": PermissionError(13, "Permission denied", "/there"),
        "memory": MemoryError("9 bytes"),
        "library": SystemError("error return without exception set"),
        "loader": ImportError("x.so: failed to map segment from shared object"),
        "missing": ImportError("No module named 'x'"),
        "bug": ZeroDivisionError("division by zero"),
        "interrupt": KeyboardInterrupt(),
        "terminate": Stopped(signal.SIGTERM),
    }
    if fault == "signal":
        os.kill(os.getpid(), signal.SIGTERM)
    if fault in faults:
        raise faults[fault]
    click.echo("done")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ([], 0, ""),
        (["--fault", "user"], 2, "error: speaker 'teo' is unknown; this model has: theo\n"),
        (["--fault", "disk"], 2, "error: writing: No space left on device\n"),
        (["--fault", "path"], 2, "error: /there: Permission denied\n"),
        (["--fault", "memory"], 2, "error: not enough memory (9 bytes)\n"),
        (
            ["--fault", "library"],
            2,
            "error: not enough memory (error return without exception set)\n",
        ),
        (
            ["--fault", "loader"],
            2,
            "error: not enough memory (x.so: failed to map segment from shared object)\n",
        ),
        (["--fault", "interrupt"], 130, "interrupted\n"),
        (["--fault", "terminate"], 143, "terminated\n"),
        (["--fault", "signal"], 143, "terminated\n"),
    ],
)
def test_an_outcome_is_a_code_and_at_most_one_line(
    arguments: list[str], code: int, line: str
) -> None:
    result = CliRunner().invoke(talk, arguments)
    assert (result.exit_code, result.stderr) == (code, line)


@pytest.mark.parametrize("arguments", [["--cout", "1"], ["--count", "many"], ["extra"]])
def test_a_mistyped_command_line_is_one_line_too(arguments: list[str]) -> None:
    result = CliRunner().invoke(talk, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_debug_shows_the_traceback_and_then_the_line() -> None:
    result = CliRunner().invoke(talk, ["--fault", "user", "--debug"])
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("error: speaker 'teo' is unknown; this model has: theo\n")


@pytest.mark.parametrize(("fault", "kind"), [("bug", ZeroDivisionError), ("missing", ImportError)])
def test_a_fault_of_our_own_is_not_dressed_up_as_the_users(
    fault: str, kind: type[Exception]
) -> None:
    result = CliRunner().invoke(talk, ["--fault", fault])
    assert isinstance(result.exception, kind)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_library_cannot_swallow_a_signal(number: signal.Signals, code: int) -> None:
    @command()
    def main() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        except BaseException:  # as C++ code does around an import
            click.echo("optional, and not here")
        time.sleep(60)
        click.echo("done")

    result = CliRunner().invoke(main, [])
    assert (result.exit_code, result.stdout) == (code, "optional, and not here\n")


def test_one_that_comes_in_a_clean_up_is_raised_after_it() -> None:
    program = (
        "import os, signal, time\n"
        "from wn_runtime.commands.command import command\n"
        "class Kept:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        time.sleep(0.01)\n"
        "@command()\n"
        "def main():\n"
        "    Kept()\n"
        "    time.sleep(60)\n"
        "    print('done')\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_the_handler_of_sigterm_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    CliRunner().invoke(talk, ["--fault", "user"])
    assert signal.getsignal(signal.SIGTERM) is before


def test_subcommands_share_the_rules() -> None:
    @group()
    def outer() -> None: ...

    @outer.command()
    def inner() -> None:
        raise WavestepError("no such target")

    result = CliRunner().invoke(outer, ["inner", "--debug"])
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "error: no such target")


def test_a_reader_that_leaves_early_is_no_error_message() -> None:
    talker = (
        "from wn_runtime.commands.command import command\n"
        "@command()\n"
        "def main():\n"
        "    while True: print('sound' * 1000)\n"
        "main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", talker], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


def test_a_traceback_shows_control_characters_as_escapes_too() -> None:
    result = CliRunner().invoke(talk, ["--debug", "--count", "\x1b[31m"])
    assert "Traceback" in result.stderr
    assert "\x1b" not in result.stderr
    assert r"\x1b[31m" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "moment",
    ["atexit.register(last)", "type('Last', (), {'__del__': lambda self: last()})()"],
    ids=["exit functions", "finalisation"],
)
def test_a_signal_after_the_work_is_done_changes_nothing(
    number: signal.Signals, moment: str
) -> None:
    """While Python ends, where its own handlers would print, or the signal would kill."""
    program = (
        "import atexit, os\n"
        "from wn_runtime.commands.command import command\n"
        "def last(kill=os.kill, pid=os.getpid()):\n"
        f"    kill(pid, {int(number)})\n"
        f"kept = {moment}\n"
        "@command()\n"
        "def main(): print('done')\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
