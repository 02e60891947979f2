"""Builds the documentation: `python docs/site/build.py build/site`. A warning is an error.

docs/ is copied to a folder beside the site, links to sources are turned, pages of the reference get
what the code says of itself, and Sphinx makes HTML of that. Nothing in it comes from elsewhere.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path, PurePosixPath

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE)]

from wn_docs import api, commands, configuration  # noqa: E402
from wn_docs.sources import Sources  # noqa: E402

MADE = {
    "reference/commands.md": commands.page,
    "reference/toml.md": configuration.page,
    "reference/python.md": api.page,
}
"""Pages that end with what the code says of itself."""
BESIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages that are not in docs/."""


def assemble(pages: Path) -> None:
    """Everything that Sphinx reads, into a folder that is made anew."""
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(ROOT / "docs", pages, ignore=shutil.ignore_patterns("site", "*.md"))
    places = {
        PurePosixPath(path.relative_to(ROOT)): PurePosixPath(path.relative_to(ROOT / "docs"))
        for path in sorted((ROOT / "docs").rglob("*.md"))
    }
    places |= {PurePosixPath(path): PurePosixPath(place) for path, place in BESIDE.items()}
    known = {**places, PurePosixPath("README.md"): PurePosixPath("index.md")}
    sources = Sources(ROOT, pages, known)
    for path, place in places.items():
        text = (ROOT / path).read_text("utf-8")
        make = MADE.get(str(place))
        (pages / place).parent.mkdir(parents=True, exist_ok=True)
        text = sources.relinked(text, path, place) + (f"\n{make()}" if make else "")
        (pages / place).write_text(text, "utf-8")


def main(out: Path) -> int:
    """The exit code of Sphinx."""
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
