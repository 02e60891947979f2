"""How wavestep came onto this machine, and so what to type to have more of it.

No public index has it: `pip install 'wavestep[onnx]'` would find nothing. pip notes where it took a
distribution from (PEP 610), so an extra is asked for from there: a checkout, a wheel, a repository.
Where nobody noted it, or it is gone, the extra's own libraries are named.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

NAME = "wavestep"
_CHECKOUT = Path(__file__).resolve().parents[2]


def install(*extras: str, without: str = "", options: Sequence[str] = ()) -> str:
    """What to type here to have these extras: `pip install -e '/home/ann/wavestep[onnx]'`.

    Without any: to have wavestep installed where its sources are only on Python's path.
    without: a library that is not wanted; where they bring it, the others are named, not the
    extras. options: further ones of pip's.
    """
    asked = f"[{','.join(extras)}]" if extras else ""
    everything = [each for extra in extras for each in _libraries(extra)]
    libraries = [each for extra in extras for each in _libraries(extra, without)]
    source = _source(asked) if libraries == everything else None
    if source is not None:
        return pip(*options, *source)
    if libraries:
        return pip(*options, *libraries)
    wanted = f"what its pyproject.toml lists for {' and '.join(extras)}" if extras else "a wheel"
    return f"install {wanted} of wavestep"


def reinstall() -> str:
    """What to type here to have wavestep anew, with all that it always needs."""
    source = _source("")
    needed = [text for text in _requires() if ";" not in text]
    return pip("--force-reinstall", *(needed if source is None else source))


def show_system_packages() -> str:
    """What to type to have this environment see the system's packages; nothing where it does.

    Made anew over itself, an environment keeps what is installed in it.
    """
    if not _in_environment():
        return ""
    try:
        lines = Path(sys.prefix, "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return ""
    made = {name.strip(): text.strip() for name, _, text in (line.partition("=") for line in lines)}
    if made.get("include-system-site-packages") == "true":
        return ""
    python = Path(made.get("home", "/usr/bin"), "python3")
    return f"{_quoted(str(python))} -m venv --system-site-packages {_quoted(sys.prefix)}"


def pip(*arguments: str) -> str:
    """`pip install` with these arguments, written so that it installs for this very Python."""
    python = _quoted(sys.executable or "python3")
    words = " ".join(_quoted(argument) for argument in arguments)
    if find_spec("pip") is None:
        if shutil.which("uv"):
            return f"uv pip install --python {python} {words}"
        if find_spec("ensurepip") is not None:
            return f"{python} -m ensurepip && {python} -m pip install {words}"
    if _in_environment() and _is_ours(shutil.which("pip")):
        return f"pip install {words}"
    import sysconfig  # which on some systems needs what others lack

    managed = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")  # PEP 668: pip would refuse
    forced = "--break-system-packages " if managed.exists() and not _in_environment() else ""
    return f"{python} -m pip install {forced}{words}"


def _source(asked: str) -> list[str] | None:
    """What pip is to install, with extras (`[onnx]`, or nothing); None where it is not known."""
    try:
        noted = metadata.distribution(NAME).read_text("direct_url.json")
        return _noted(json.loads(noted or "{}"), asked)
    except metadata.PackageNotFoundError:  # sources that were never installed
        return _folder(_CHECKOUT, asked, editable=True)
    except (ValueError, TypeError, AttributeError, LookupError):
        return None


def _noted(direct: Any, asked: str) -> list[str] | None:
    """What direct_url.json says, as pip's arguments; None where that is no longer there."""
    url = str(direct["url"])
    if "://" not in url:
        raise ValueError(url)
    here = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None
    if "dir_info" in direct and here is not None:
        return _folder(here, asked, editable=bool(direct["dir_info"].get("editable")))
    if "vcs_info" in direct:
        vcs = direct["vcs_info"]
        return [f"{NAME}{asked} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"]
    if here is not None and not here.is_file():
        return None
    return [f"{NAME}{asked} @ {url}"]


def _folder(folder: Path, asked: str, editable: bool) -> list[str] | None:
    if not (folder / "pyproject.toml").is_file():
        return None
    return [*(["-e"] if editable else []), f"{folder}{asked}"]


def _libraries(extra: str, without: str = "") -> list[str]:
    """What an extra asks for on this Python, as pip takes it."""
    wanted = []
    for text in _requires():
        requirement, _, marker = text.partition(";")
        if not re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", marker):
            continue
        older = re.search(r"python_version < ['\"]3\.(\d+)['\"]", marker)
        unwanted = without and re.match(rf"{re.escape(without)}(?![\w.-])", requirement)
        if not unwanted and (older is None or sys.version_info < (3, int(older[1]))):
            wanted.append(requirement.strip())
    return wanted


def _requires() -> list[str]:
    try:
        return metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return []


def _in_environment() -> bool:
    """Whether this Python is one of a virtual environment."""
    return sys.prefix != sys.base_prefix


def _is_ours(program: str | None) -> bool:
    """Whether a program lies beside this Python: the environment is the shell's, too."""
    return program is not None and Path(program).parent == Path(sys.executable).parent


def _quoted(word: str) -> str:
    """As the shell that it will be typed into takes it."""
    if os.name != "nt":
        return shlex.quote(word)
    return word if re.fullmatch(r"[\w.:\\/=+-]+", word) else f'"{word}"'
