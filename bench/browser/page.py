"""The page of a voice in headless Chromium: first sound, real-time factor, underruns, bytes.

    python -m bench.browser.page site/ [--words "one two three"] [--seconds 60]

It plays short sounds first, each in a page of its own, for the time from the click to the first
sound; then one of at least so many seconds, during which an underrun would count. `real time` is
what the page shows, of the clock; `Worker` is CPU time of the thread that makes the sound, which
what else the machine does hardly changes. Needs Linux, node, chromium, and playwright-core in
$NODE_PATH.
"""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from tests.export.site.browser import visited

SHORT = 5
"""Pages opened for the first sound."""


@contextmanager
def worker_seconds() -> Iterator[list[float]]:
    """CPU seconds of the Worker that took most while the block ran; in the list afterwards."""
    found, over = [0.0], threading.Event()
    per_second = os.sysconf("SC_CLK_TCK")

    def watch() -> None:
        while not over.wait(0.5):
            for task in Path("/proc").glob("[0-9]*/task/[0-9]*"):
                try:
                    name, _, rest = (task / "stat").read_text().rpartition(")")
                except OSError:  # it has ended
                    continue
                if "DedicatedWorker" in name:
                    user, system = rest.split()[11:13]
                    found[0] = max(found[0], (int(user) + int(system)) / per_second)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


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
    with worker_seconds() as worked:
        (long,) = visited(site, [{"steps": [{"fill": {"text": text}, "play": True}]}])
    seen = long["seen"][0]
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"model          {seen['model']}")
    print(f"site           {size / 1e6:.2f} MB")
    spread = f"({min(firsts):.0f} to {max(firsts):.0f})"
    print(f"first sound    {statistics.median(firsts):.0f} ms {spread}")
    print(f"real time      {statistics.median(factors):.1f}x in {length:.1f} s")
    print(f"               {figure(seen['speed']):.1f}x in {seen['length']}")
    made = figure(seen["length"])
    print(f"Worker         {worked[0]:.1f} s of CPU time for {made:.1f} s: {made / worked[0]:.1f}x")
    print(f"underruns      {seen['gaps']} in {seen['length']}")
    said = [line for each in [*short, long] for line in each["said"]]
    print(f"console        {'; '.join(said) or 'nothing'}")


if __name__ == "__main__":
    main()
