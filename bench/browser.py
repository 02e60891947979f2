"""The page of a voice in headless Chromium: first sound, real-time factor, underruns, bytes.

    python bench/browser.py site/ [--words "one two three"] [--seconds 60]

It plays short sounds first, each in a page of its own, for the time from the click to the first
sound; then one of at least so many seconds, during which an underrun would count. Needs node,
chromium, and playwright-core in $NODE_PATH.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import click

from tests.export.site.browser import visited

SHORT = 5
"""Pages opened for the first sound."""


def figure(text: str) -> float:
    """Of `112 ms`, `4.5×`."""
    return float(text.split()[0].rstrip("×"))


@click.command()
@click.argument("site", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--words", default="seven four two zero nine eight one", help="What it can say.")
@click.option("--seconds", default=60.0, help="Of the long sound.")
def main(site: Path, words: str, seconds: float) -> None:
    """Print what the page shows."""
    visits: list[dict[str, Any]] = [
        {"steps": [{"fill": {"text": words}, "play": True}]} for _ in range(SHORT)
    ]
    short = visited(site, visits)
    firsts = [figure(each["seen"][0]["first"]) for each in short]
    factors = [figure(each["seen"][0]["speed"]) for each in short]
    length = min(figure(each["seen"][0]["length"]) for each in short)
    text = ", ".join([words] * (int(seconds / length) + 1))
    (long,) = visited(site, [{"steps": [{"fill": {"text": text}, "play": True}]}])
    seen = long["seen"][0]
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"model          {seen['model']}")
    print(f"site           {size / 1e6:.2f} MB")
    spread = f"({min(firsts):.0f} to {max(firsts):.0f})"
    print(f"first sound    {statistics.median(firsts):.0f} ms {spread}")
    print(f"real time      {statistics.median(factors):.1f}x in {length:.1f} s")
    print(f"               {figure(seen['speed']):.1f}x in {seen['length']}")
    print(f"underruns      {seen['gaps']} in {seen['length']}")
    said = [line for each in [*short, long] for line in each["said"]]
    print(f"console        {'; '.join(said) or 'nothing'}")


if __name__ == "__main__":
    main()
