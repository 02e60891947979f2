"""What wn-export makes beside model directories, as wn-inspect sees it; nothing of it is run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wn_export.c_api.model_file import Packed
from wn_runtime import files
from wn_runtime.model.executable import executable
from wn_runtime.model.inspection import FileCheck

Line = tuple[str, str]
"""A title, and what stands after it."""


@dataclass(frozen=True)
class Shipped:
    """One of them."""

    what: str
    """`C API folder`."""
    about: tuple[Line, ...]
    """The model in it."""
    files: tuple[FileCheck, ...]
    following: str
    """The last line: what takes it."""

    @property
    def sound(self) -> bool:
        """Whether all files are as they were written, as far as what is shipped can tell."""
        return all(file.status == "ok" for file in self.files)


def packed_lines(packed: Packed) -> Iterator[Line]:
    """A packed model in words."""
    yield "model", packed.named.name
    yield "runs", f"{packed.precision}, {packed.sample_rate} Hz"
    if packed.named.temperature != 1:
        yield "temperature", f"{packed.named.temperature:g}, where none is given"
    names = ", ".join(packed.conditions)
    yield "conditions", f"{names}: names, each followed by its values" if names else "none"


def checked(folder: Path, name: str, status: str = "ok") -> FileCheck:
    """A file of a folder, by its name with forward slashes; its status is known from elsewhere."""
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root):  # a stranger's list may name any file of this machine
            return FileCheck(name, "leads out of the folder", 0, "")
        size, sha256 = files.size_and_sha256(path)
        return FileCheck(name, status, size, sha256, executable(path))
    except FileNotFoundError:
        return FileCheck(name, "missing", 0, "")
    except (ValueError, RuntimeError):  # a NUL in the name; links in a circle
        return FileCheck(name, "no name of a file", 0, "")
    except OSError as error:
        return FileCheck(name, f"unreadable: {error.strerror}", 0, "")
