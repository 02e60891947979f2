"""Builds the documentation: `python docs/site/build.py build/site`. A warning is an error.

docs/ is copied to a folder beside the site, links to sources are turned, pages of the reference get
what the code says of itself, and Sphinx makes HTML of that. Nothing in it comes from elsewhere.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]

from wn_docs import api, commands, configuration, links, manifest  # noqa: E402
from wn_docs.sources import Sources  # noqa: E402

MADE: dict[str, Callable[[str], str]] = {
    "reference/commands.md": lambda text: f"{text}\n{commands.page()}",
    "reference/toml.md": lambda text: f"{text}\n{configuration.page()}",
    "reference/python.md": lambda text: f"{text}\n{api.page()}",
    "reference/model-directory.md": manifest.into,
}
"""Pages with what the code says of itself, and how it comes into them."""
PAGES = sorted((ROOT / "docs").rglob("*.md"))
BESIDE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages that are not in docs/."""


def assemble(pages: Path) -> None:
    """Everything that Sphinx reads, into a folder that is made anew."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("site", "*.md"))
    places = {
        PurePosixPath(path.relative_to(ROOT)): PurePosixPath(path.relative_to(ROOT / "docs"))
        for path in PAGES
    }
    places |= {PurePosixPath(path): PurePosixPath(place) for path, place in BESIDE.items()}
    sources = Sources(ROOT, pages, places)
    for path, place in places.items():
        text = (ROOT / path).read_text("utf-8")
        (pages / place).parent.mkdir(parents=True, exist_ok=True)
        text = MADE.get(str(place), str)(sources.relinked(text, path, place))
        if place.name == "index.md":
            text = without_empty(text, [page.stem for page in PAGES])
        (pages / place).write_text(text, "utf-8")


def without_empty(text: str, names: list[str]) -> str:
    """A list of pages without the patterns (`device*`) that none of them is like."""
    return re.sub(
        r"^[\w-]+\*\n",
        lambda found: found[0] if fnmatch.filter(names, found[0][:-1]) else "",
        text,
        flags=re.MULTILINE,
    )


def main(out: Path) -> int:
    """0, or 1 where a link leads nowhere or Sphinx has a warning."""
    faults = [each for page in PAGES for each in links.faults(ROOT, page)]
    if faults:
        sys.stderr.write("\n".join(faults) + "\n")
        return 1
    pages = out.with_name(f"{out.name}-pages")
    assemble(pages)
    shutil.rmtree(out, ignore_errors=True)
    quiet = ["--quiet", "--fail-on-warning", "--keep-going", "--fresh-env"]
    done = sphinx([*quiet, "-b", "html", "-c", str(HERE), str(pages), str(out)])
    if not done:
        sys.stdout.write(f"{out}/index.html\n")
    return done


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
