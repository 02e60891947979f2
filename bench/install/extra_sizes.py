"""How large each extra is, installed.

    python -m bench.install.extra_sizes     where they are installed

Of a distribution, the files that its installer listed; of an extra, what is there beside the base,
of what this Python and system take of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

NAME = "wavestep"


def normal(requirement: str) -> str:
    """The name in a requirement, as distributions are looked up by."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def closure(names: Iterable[str]) -> tuple[set[str], set[str]]:
    """Distributions that are here with all that they need; and those that are not here."""
    here: set[str] = set()
    missing: set[str] = set()
    left = [*names]
    while left:
        name = left.pop()
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            missing.add(name)
            continue
        if name not in here:
            here.add(name)
            left += [normal(each) for each in requires if ";" not in each]
    return here, missing


def wanted(requirement: str, extra: str) -> bool:
    """Whether it is one here, with that extra."""
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate({"extra": extra})


def megabytes(names: Iterable[str]) -> float:
    """Of all files of these distributions."""
    files = (f for name in names for f in metadata.distribution(name).files or ())
    paths = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_size for path in paths if path.exists()) / 1e6


def main() -> None:
    """Print a line for the base and each extra."""
    requires = metadata.requires(NAME) or []
    base, _ = closure(normal(each) for each in requires if ";" not in each)
    print(f"{'base':16} {megabytes(base):6.0f} MB")
    for extra in metadata.metadata(NAME).get_all("Provides-Extra") or []:
        asked = {normal(each) for each in requires if wanted(each, extra) and not wanted(each, "")}
        here, missing = closure(asked)
        if missing & asked:
            print(f"{extra:16} not installed here: {', '.join(sorted(missing & asked))}")
        else:
            print(f"{extra:16} {megabytes(here - base):6.0f} MB")


if __name__ == "__main__":
    main()
