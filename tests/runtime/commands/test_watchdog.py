"""A call that never returns cannot keep a command alive against its user's wish."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

STUCK = """
import ctypes, threading
from wn_runtime.commands import watchdog
from wn_runtime.commands.command import command

@command()
def main() -> None:
    watchdog.PATIENCE_S = 1.0
    print("stuck", flush=True)
    libc = ctypes.CDLL(None)
    while True:
        {stuck}

main()
"""
NEVER_BACK = "libc.pthread_mutex_lock(m := (ctypes.c_char * 64)()) or libc.pthread_mutex_lock(m)"
BACK_AT_TIMES = "libc.usleep(10_000)"


def started(program: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stuck\n"
    time.sleep(0.2)  # into the call itself
    return process


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted\n"),
        (signal.SIGTERM, 143, "terminated\n"),
        (signal.SIGHUP, 129, "hung up\n"),
    ],
)
@pytest.mark.parametrize("stuck", [NEVER_BACK, BACK_AT_TIMES])
def test_a_signal_ends_it_with_a_word(
    number: signal.Signals, code: int, word: str, stuck: str
) -> None:
    with started(STUCK.format(stuck=stuck)) as process:
        try:
            process.send_signal(number)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, said) == (code, word)


def test_what_was_ignored_stays_ignored() -> None:
    """As under nohup."""
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    with started(ignoring + STUCK.format(stuck=BACK_AT_TIMES)) as process:
        try:
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, said) == (143, "terminated\n")
