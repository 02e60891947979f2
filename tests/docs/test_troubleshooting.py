"""What the page on troubleshooting quotes is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/troubleshooting.md").read_text("utf-8")


def sources() -> str:
    """The text of all packages, strings that go on over lines joined."""
    files = [
        path
        for each in ("runtime", "targets", "train", "export")
        for path in sorted((ROOT / each).rglob("*.py"))
    ]
    text = "\n".join(path.read_text("utf-8") for path in files)
    return re.sub(r"\"\s*\n\s*f?\"", "", text)


def quoted() -> list[str]:
    """The messages in the first column of its tables, but for pip's own."""
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    own = [row for row in rows if "(pip)" not in row and " " in row.split("`")[1]]
    return [each for row in own for each in re.findall(r"`([^`]+)`", row)]


def test_every_message_is_one_of_the_codes() -> None:
    code = sources()
    messages = quoted()
    assert len(messages) > 20
    for message in messages:
        for part in re.split(r"…", message):
            assert part.strip() in code, message


def test_a_message_that_nobody_prints_is_found() -> None:
    assert "the moon is full; wait" not in sources()
