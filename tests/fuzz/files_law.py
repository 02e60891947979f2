"""The law's part on files: inputs as they were, outputs those asked for and whole, no leftovers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz import tree
from tests.fuzz.case import Case
from tests.fuzz.sandbox import CACHE, Outcome

if TYPE_CHECKING:
    from tests.fuzz.law import Breach

OUTPUT_OPTIONS = ("-o", "--output", "--raw", "--json", "--plot")
_TEMPORARY = re.compile(r"(^|/)\.[^/]*(\.part|\.old|part-|old-)|\.part(\.|$)|\.tmp$")
_OWN = ("home/.cache/", "home/.local/share/wavestep", "home/.config/matplotlib")
"""Where a command may keep things of its own."""
_OTHERS = re.compile(r"(^|/)(\.ses$|torchinductor_|Microsoft(/|$)|matplotlib(-\w+)?(/|$))")
"""What ONNX Runtime, PyTorch and matplotlib leave in HOME and TMPDIR, whoever calls them."""
_BESIDE = {"wn-parity": ("report.json", "report.html")}
"""What a command writes into the directory it is given."""


def judge(case: Case, outcome: Outcome) -> Iterator[Breach]:
    """Every breach in the files."""
    from tests.fuzz.law import Breach

    asked = _asked_for(case, outcome)
    stopped = outcome.timed_out or outcome.code < 0
    for path, (before, after) in tree.changes(outcome.before, outcome.after).items():
        name = _plain(path)
        if path == "marker":
            yield Breach("hostile code ran", case.command)
        elif _OTHERS.search(path) or _holds_asked(path, asked, outcome.root, after):
            continue
        elif _TEMPORARY.search(path) or (path.startswith("tmp/") and after):
            if not stopped:  # killed by us: the next run clears it, see kills.py
                yield Breach("leftover", f"{case.command} {name}")
        elif path in ("home/.cache", "home/.local", CACHE) or path.startswith(_OWN):
            continue
        elif path.startswith("victim"):
            if not _is_asked(path, asked, outcome.root):
                yield Breach("outside touched", f"{case.command} {name}")
        elif before is None and _is_default_name(case, path):
            if fault := _fault(case, outcome.root / path):
                yield Breach("half-written", f"{case.command} {name}: {fault}")
        elif not _is_asked(path, asked, outcome.root):
            kind = "stray" if before is None else "lost" if after is None else "changed"
            yield Breach(f"{kind} file", f"{case.command} {name}")
        elif outcome.code == 2 and before is not None and case.command != "wn-train":
            yield Breach("changed though refused", f"{case.command} {name}")
        elif after is not None and not stopped and (fault := _fault(case, outcome.root / path)):
            yield Breach("half-written", f"{case.command} {name}: {fault}")


def _asked_for(case: Case, outcome: Outcome) -> set[str]:
    """Full paths that the command may make or replace."""
    work = outcome.root / "work"
    given = [
        value
        for option, value in zip(case.arguments, case.arguments[1:], strict=False)
        if option in OUTPUT_OPTIONS
    ]
    given += [
        word.partition("=")[2]
        for word in case.arguments
        if word.partition("=")[0] in OUTPUT_OPTIONS and "=" in word
    ]
    places = [outcome.root / _placed(value, outcome.root) for value in given]
    if case.command == "wn-export":
        directories = [word for word in case.arguments if not word.startswith("-")]
        places += [work / _placed(word, outcome.root) for word in directories]
        if not given:  # a checkpoint goes to a directory of its name, in place of a model there
            places += [path.parent for path in work.glob("*/manifest.json")]
    for name in _BESIDE.get(case.command, ()):
        places += [work / _placed(word, outcome.root) / name for word in case.arguments]
    for variable, below in (("HOME", ".cache"), ("XDG_CACHE_HOME", "wavestep")):
        value = case.environment.get(variable) or ""
        if value.startswith(("/", "{")):
            places.append(Path(_placed(value, outcome.root)) / below)
    paths = {os.path.normpath(work / place) for place in places}
    return paths | {os.path.realpath(path) for path in paths}


def _placed(text: str, root: Path) -> str:
    placed = text.replace("{work}", str(root / "work")).replace("{victim}", str(root / "victim"))
    return str(root / "work" / placed)


def _is_asked(path: str, asked: set[str], root: Path) -> bool:
    """Whether it is one of `asked`, in one, or a voice of one (`a-0.wav`)."""
    full = str(root / path)
    for each in asked:
        if full == each or full.startswith((each + "/", each + ".failed")):
            return True
        voice = re.escape(str(Path(each).with_suffix(""))) + r"-\d+" + re.escape(Path(each).suffix)
        if re.fullmatch(voice, full):
            return True
    return False


def _holds_asked(path: str, asked: set[str], root: Path, after: str | None) -> bool:
    """Whether it is a folder that had to be made for an output."""
    return after == "folder" and any(each.startswith(f"{root / path}/") for each in asked)


def _is_default_name(case: Case, path: str) -> bool:
    """Whether wn-run may have called its output so where none was named."""
    folder, name = os.path.split(path)
    named = not name.startswith(("~", ".")) and name.endswith(".wav")
    return case.command == "wn-run" and folder == "work" and named


def _fault(case: Case, path: Path) -> str | None:
    """What is not whole about a file that was written; None: nothing is."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        raw = any(word.partition("=")[0] == "--raw" for word in case.arguments)
        if path.suffix == ".wav" and not raw:
            with wave.open(str(path)) as file:
                file.readframes(file.getnframes())
            if path.stat().st_size != 44 + 2 * file.getnframes():
                return "its header counts other samples"
        elif path.suffix == ".json":
            data = json.loads(path.read_text("utf-8"))
            if path.name == "manifest.json" and case.command == "wn-export":
                return _unproven(path.parent, data["files"])
    except (ValueError, KeyError, EOFError, wave.Error) as error:
        return f"{type(error).__name__}"
    return None


def _unproven(directory: Path, files: dict[str, dict[str, str]]) -> str | None:
    for name, record in files.items():
        if hashlib.sha256((directory / name).read_bytes()).hexdigest() != record["sha256"]:
            return f"{name} is not what it says"
    return None


def _plain(path: str) -> str:
    if path.startswith("tmp/"):  # what is left as a whole, under the name that tempfile chose
        return "/".join(path.split("/")[:2])[:-8] + "*"
    return re.sub(r"[0-9a-f]{8,}|\d+", "N", path)[:80]
