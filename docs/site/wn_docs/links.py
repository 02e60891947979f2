"""The links of Markdown files: where they are, where they lead, and whether anything is there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

LINK = re.compile(r"(?P<before>\]\()(?P<target>[^()\s]+)(?P<after>(?:\s+\"[^\"]*\")?\))")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*$")


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Markdown with `change` made to each line that is no code, and to no `code` in a line."""
    return "\n".join(
        line if is_code else _outside_spans(line, change) for line, is_code in _lines(text)
    )


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is code: between fences, the fences too, or indented."""
    fence = ""
    for line in text.split("\n"):
        begins = _FENCE.match(line)
        yield line, bool(fence or begins or line.startswith("    "))
        if fence:
            fence = "" if begins and begins[1].startswith(fence) else fence
        elif begins:
            fence = begins[1]


def _outside_spans(line: str, change: Callable[[str], str]) -> str:
    """A link's words may be code, so code is kept aside, not cut at."""
    spans: list[str] = []

    def aside(match: re.Match[str]) -> str:
        spans.append(match[0])
        return f"\0{len(spans) - 1}\0"

    changed = change(re.sub(r"`[^`]*`", aside, line))
    return re.sub("\0(\\d+)\0", lambda match: spans[int(match[1])], changed)


def links(text: str) -> Iterator[str]:
    """Targets of the links in a Markdown text; not those in code."""
    found: list[str] = []

    def note(line: str) -> str:
        found.extend(match["target"] for match in LINK.finditer(line))
        return line

    outside_code(text, note)
    yield from found


def anchors(text: str) -> set[str]:
    """What `#…` can name in a Markdown text: its headings, as code hosts make words of them."""
    found: set[str] = set()
    for line, is_code in _lines(text):
        heading = None if is_code else _HEADING.match(line)
        if heading:
            slug = base = _slug(heading[2].replace("`", ""))
            again = 0
            while slug in found:
                again += 1
                slug = f"{base}-{again}"
            found.add(slug)
    return found


def _slug(heading: str) -> str:
    """As github-slugger does it."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    kept = [c for c in words if c in "-_ " or unicodedata.category(c)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


def faults(root: Path, file: Path) -> Iterator[str]:
    """What is wrong with the links of one Markdown file, a line each.

    A link within the repository must lead to a file or folder of it, and its `#…` to a heading
    there; one to elsewhere must be an https address.
    """
    for target in links(file.read_text("utf-8")):
        where = f"{file.relative_to(root)}: {target}"
        if ":" in target:
            parts = urlsplit(target)
            if parts.scheme != "https" or not parts.netloc:
                yield f"{where}: no https address"
            continue
        path, _, anchor = target.partition("#")
        to = (file.parent / path).resolve() if path else file
        if not to.is_relative_to(root) or not to.exists():
            yield f"{where}: nothing is there"
        elif anchor and (to.suffix != ".md" or anchor not in anchors(to.read_text("utf-8"))):
            yield f"{where}: no such heading"
