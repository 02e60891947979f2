"""Pages of the sources that the documentation links to, so that the site is whole offline.

A link out of docs/ becomes one to `source/PATH`: a file's text in colour, or the files of a folder
with the first line of each. What is too long to be read, or is no text, is a download.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wn_docs.commands import escaped
from wn_docs.links import LINK, outside_code

LONGEST = 60_000
"""Bytes of a text that is shown."""
_LANGUAGES = {
    ".py": "python",
    ".c": "c",
    ".h": "c",
    ".cu": "cuda",
    ".cuh": "cuda",
    ".toml": "toml",
    ".json": "json",
    ".sh": "sh",
    ".js": "javascript",
}
_HEAD = "---\norphan: true\nnosearch: true\n---\n\n"


class Sources:
    """Copies of what pages link to, made as links to them are met."""

    def __init__(self, root: Path, site: Path, pages: dict[PurePosixPath, PurePosixPath]) -> None:
        """root: of the repository. site: the folder of pages. pages: of it, by path in `root`."""
        self._root, self._site, self._pages = root, site, pages
        self._made: set[PurePosixPath] = set()

    def relinked(self, text: str, origin: PurePosixPath, place: PurePosixPath) -> str:
        """A page's Markdown with its links as they are in the site.

        origin: its path in the repository. place: in the site.
        """

        def relink(match: re.Match[str]) -> str:
            target, hash_, anchor = match["target"].partition("#")
            if not target or ":" in target:
                return match[0]
            found = (self._root / origin.parent / target).resolve().relative_to(self._root)
            to = self._place(PurePosixPath(found.as_posix()))
            link = _relative(to, place.parent) + (hash_ + anchor if to.suffix == ".md" else "")
            return f"{match['before']}{link}{match['after']}"

        return outside_code(text, lambda part: LINK.sub(relink, part))

    def _place(self, path: PurePosixPath) -> PurePosixPath:
        """Where in the site that path of the repository is; made if it is not there yet."""
        if path in self._pages:
            return self._pages[path]
        if path.parts == ("docs",):
            return PurePosixPath("index.md")
        original = self._root / path
        if path.parts[0] == "docs":  # copied as a whole
            return path.relative_to("docs")
        place = PurePosixPath("source", path)
        if original.is_dir() or _is_shown(original):
            place = place.with_name(f"{place.name}.md")
        if path not in self._made:
            self._made.add(path)
            self._write(path, original, self._site / place)
        return place

    def _write(self, path: PurePosixPath, original: Path, out: Path) -> None:
        out.parent.mkdir(parents=True, exist_ok=True)
        if original.is_dir():
            out.write_text(f"{_HEAD}# {escaped(str(path))}/\n\n" + "\n".join(self._listing(path)))
        elif _is_shown(original):
            text = original.read_text("utf-8")
            longest = max((len(found) for found in re.findall(r"`{3,}", text)), default=2)
            fence = "`" * (longest + 1)
            language = _LANGUAGES.get(original.suffix, "text")
            out.write_text(
                f"{_HEAD}# {escaped(str(path))}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
            )
        else:
            out.write_bytes(original.read_bytes())

    def _listing(self, folder: PurePosixPath) -> Iterator[str]:
        for each in sorted((self._root / folder).iterdir()):
            if each.name.startswith((".", "__pycache__")) or not (each.is_dir() or _is_shown(each)):
                continue
            path = folder / each.name
            if each.is_dir():
                yield f"- {escaped(each.name)}/"
                continue
            to = _relative(self._place(path), PurePosixPath("source", folder).parent)
            words = escaped(first_line(each))
            yield f"- [{escaped(each.name)}]({to}){f' – {words}' if words else ''}"


def first_line(path: Path) -> str:
    """What a Python file says of itself in one line; empty for other files."""
    if path.suffix != ".py":
        return ""
    return (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]


def _is_shown(path: Path) -> bool:
    if path.suffix in (".pt", ".png", ".svg", ".wav") or path.stat().st_size > LONGEST:
        return False
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _relative(to: PurePosixPath, folder: PurePosixPath) -> str:
    """A path of the site as a page in `folder` links to it."""
    shared = 0
    while shared < min(len(to.parts) - 1, len(folder.parts)) and (
        to.parts[shared] == folder.parts[shared]
    ):
        shared += 1
    up = [".."] * (len(folder.parts) - shared)
    return "/".join([*up, *to.parts[shared:]])
