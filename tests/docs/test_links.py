"""Every link of every page leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_docs import links

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_nothing_is_wrong_with_the_links_of(page: Path) -> None:
    assert list(links.faults(ROOT, page)) == []


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("other.md", None),
        ("other.md#a-heading-of-code", None),
        ("other.md#a-heading-of-code-1", None),
        ("#here", None),
        ("folder", None),
        ("https://example.org/a", None),
        ("none.md", "nothing is there"),
        ("../outside.md", "nothing is there"),
        ("other.md#b", "no such heading"),
        ("other.md#in-code", "no such heading"),
        ("folder#a", "no such heading"),
        ("http://example.org", "no https address"),
        ("https:example", "no https address"),
        ("file:///etc/passwd", "no https address"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, target: str, fault: str | None) -> None:
    (tmp_path / "root/folder").mkdir(parents=True)
    (tmp_path / "outside.md").touch()
    page = tmp_path / "root/page.md"
    page.write_text(f"# Here\n\nA [`link`]({target}) of it.\n")
    other = "# A heading, of `code`\n\n```\n# In code\n```\n\n## A heading: of code\n"
    (tmp_path / "root/other.md").write_text(other)
    found = list(links.faults(tmp_path / "root", page))
    assert found == ([f"page.md: {target}: {fault}"] if fault else [])


def test_links_in_code_are_none() -> None:
    text = '`[a](b)` [c](d)\n\n    [e](f)\n\n```md\n[g](h)\n```\n\n[`i`](j "k") ![l](m)\n'
    assert list(links.links(text)) == ["d", "j", "m"]
