"""The one law: what every command keeps to, whatever it is given.

Exit code 0, 1 or 2, or 141 of a pipe that nobody reads; one `error: …` line where it is 2, and
nothing but notes and progress beside it; no control characters on a terminal; ended within its
seconds (commands.py) and a gigabyte, with nothing left running; files as they were, but for those
asked for, which are whole.
"""

from __future__ import annotations

import contextlib
import re
import signal
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tests.fuzz import files_law
from tests.fuzz.case import Case
from tests.fuzz.sandbox import Outcome
from wn_runtime.commands.command import UNREAD

MOST_MB = 1024
EARLY = 0.2
"""Seconds in which a signal may still be the interpreter's business."""
STOPPED = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
"""Exit codes after a signal."""
PROGRESS = {
    "wn-train": (
        r".+: \d+ layers, receptive field .*",
        r"step \d+: .* bits per sample.* on valid, .*",
        r"done: .* bits per sample.* on valid; .*",
        r"saved step \d+ to .*",
        r"next     (wn-export|wn-train) .*",
        r"\d+ files (have|are) .*",
    ),
    "wn-parity": (r"report   not written: .*",),
    "wn-run": (r".* real time.* stdout",),
}
"""What commands say on stderr beside notes and errors."""
_SEEN = 4000
"""Bytes of a full disk on which stderr has room."""
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|^\s+File \".*\", line \d+", re.M)
_FRAME = re.compile(r'File "[^"]*?((?:wn_|tests/)[^"]*)", line \d+, in (\S+)')
_RAISED = re.compile(r"^(\w[\w.]*(?:Error|Exception|Interrupt|Warning|Exit|Stopped))\b", re.M)
_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


@dataclass(frozen=True)
class Breach:
    """One way in which a case broke the law."""

    kind: str
    where: str
    """What tells breaches of a kind apart: the last frame, the noise itself, the file."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}"


def judge(case: Case, outcome: Outcome) -> list[Breach]:
    """Every breach; none: the case ended well."""
    found = [*_end(case, outcome), *_words(case, outcome), *files_law.judge(case, outcome)]
    return list(dict.fromkeys(found))


def _end(case: Case, outcome: Outcome) -> Iterator[Breach]:
    """How it ended, how long it took and how much."""
    if outcome.timed_out:
        yield Breach("hang", case.command)
    elif outcome.code < 0 and not _stopped_at_once(case, outcome.code):
        yield Breach("crash", f"{case.command} signal {-outcome.code}")
    elif outcome.code >= 0 and outcome.code not in _codes(case):
        yield Breach("exit code", f"{case.command} {outcome.code}")
    if outcome.peak_mb > MOST_MB:
        yield Breach("memory", f"{case.command} over {MOST_MB} MB")
    for process in outcome.left:
        yield Breach("left running", " ".join(process.split()[:3]))


def _stopped_at_once(case: Case, code: int) -> bool:
    """Whether a signal came before the command could have had anything to lose."""
    stop = case.stop
    return stop is not None and stop.after < EARLY and code == -getattr(signal, stop.signal)


def _codes(case: Case) -> set[int]:
    unread = {UNREAD} if "broken" in case.streams.values() else set()
    return {0, 1, 2} | unread | ({STOPPED[case.stop.signal]} if case.stop is not None else set())


def _words(case: Case, outcome: Outcome) -> Iterator[Breach]:
    """What it printed."""
    errors, output = _decoded(case, outcome.stderr), _decoded(case, outcome.stdout)
    debug = "--debug" in case.arguments
    if _stopped_at_once(case, -signal.SIGINT):  # the interpreter's own trace, before our command
        return
    if _TRACEBACK.search(errors) and not debug:
        yield Breach("traceback", _last_frame(errors))
    elif not debug and not outcome.timed_out and outcome.code >= 0:
        yield from _lines(case, outcome.code, errors)
    for text in (errors, "" if _raw_audio(case) else output):
        if shown := sorted({_name(c) for c in text if _is_control(c)}):
            yield Breach("control characters", f"{case.command} {' '.join(shown[:3])}")


def _decoded(case: Case, printed: bytes) -> str:
    """As a terminal would; bytes that are no text as surrogates."""
    asked = (case.environment.get("PYTHONIOENCODING") or "utf-8").partition(":")[0]
    for encoding in ("utf-8", asked):
        with contextlib.suppress(UnicodeDecodeError):
            return printed.decode(encoding)
    return printed.decode("utf-8", "surrogateescape")


def _lines(case: Case, code: int, errors: str) -> Iterator[Breach]:
    if case.streams.get("stderr") or case.limits.get("RLIMIT_FSIZE", _SEEN) < _SEEN:
        return  # nobody could see it
    lines = errors.splitlines() if not errors or errors.endswith("\n") else errors.split("\n")
    if code == 2:
        if not lines or not lines[-1].startswith("error: "):
            yield Breach("no error line", f"{case.command}: {_plain(lines[-1]) if lines else ''}")
        elif len(lines[-1]) > 2000:
            yield Breach("endless error line", f"{case.command}: {_plain(lines[-1])}")
        lines = lines[:-1]
    elif case.stop is not None and lines and lines[-1] in ("interrupted", "terminated", "hung up"):
        lines = lines[:-1]
    if case.command == "wn-bench" and "-" in case.arguments:  # with --json - its table is here
        return
    asked = {"note: "} | ({"verbose: "} if {"-v", "--verbose"} & set(case.arguments) else set())
    for line in lines:
        if "_WN_RUN_COMPLETE" in case.environment and "bash: warning: setlocale" in line:
            continue  # click asks the shell itself for its version
        if not line.startswith(tuple(asked)) and not _is_progress(case.command, line):
            yield Breach("noise", f"{case.command}: {_plain(line)}")
            return


def _is_progress(command: str, line: str) -> bool:
    return any(re.fullmatch(pattern, line) for pattern in PROGRESS.get(command, ()))


def _last_frame(text: str) -> str:
    """`OSError in wn_runtime/commands/run.py:_sink`."""
    frames = _FRAME.findall(text)
    raised = _RAISED.findall(text)
    return f"{raised[-1] if raised else '?'} in {':'.join(frames[-1]) if frames else '?'}"


def _plain(line: str) -> str:
    """A line without what differs from case to case."""
    short = re.sub(r"0x[0-9a-f]+|\d+", "N", line[:160])
    return re.sub(r"(/[\w.{}-]+){2,}", "PATH", short)


def _raw_audio(case: Case) -> bool:
    return case.command == "wn-run" and bool(
        {"-", "/dev/stdout", "/proc/self/fd/1"} & set(case.arguments)
    )


def _is_control(character: str) -> bool:
    if character in "\n\t":
        return False
    raw_c1 = "\udc80" <= character <= "\udc9f"
    return raw_c1 or character in _BIDI or unicodedata.category(character) in ("Cc", "Zl", "Zp")


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"
