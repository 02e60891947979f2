"""python -m tests.fuzz: a campaign, kills, or one case again.

python -m tests.fuzz --minutes 30 --jobs 2 --seed 7
python -m tests.fuzz --cases 500 --only manifest
python -m tests.fuzz --kills 200
python -m tests.fuzz --replay fuzz-findings/manifest-0123456789ab/case.json
"""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.fuzz import workers
from tests.fuzz.campaign import checked, load
from tests.fuzz.case import Case
from tests.fuzz.findings import Findings
from tests.fuzz.sandbox import Sandbox
from tests.fuzz.subjects.registry import present
from tests.fuzz.world import World


@click.command()
@click.option("--minutes", type=float, help="How long; default: until --cases are done.")
@click.option("--cases", type=int, help="How many; default: until --minutes are over.")
@click.option("--kills", type=int, default=0, help="How many commands to kill, after the cases.")
@click.option("--jobs", default=2, show_default=True, help="Processes side by side.")
@click.option("--seed", default=0, show_default=True, help="Another seed gives other cases.")
@click.option("--only", multiple=True, help="A subject; repeatable. Default: all.")
@click.option("--replay", type=click.Path(path_type=Path), help="Run this case again.")
@click.option(
    "--findings", "folder", type=click.Path(path_type=Path), default=Path("fuzz-findings")
)
def main(
    minutes: float | None,
    cases: int | None,
    kills: int,
    jobs: int,
    seed: int,
    only: tuple[str, ...],
    replay: Path | None,
    folder: Path,
) -> None:
    """Try the commands with bad input and hold them to the law; exit code 1 where one breaks it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the table comes then, too
    if replay is not None:
        sys.exit(_replay(replay))
    for name in only:
        if name not in present():
            raise click.BadParameter(f"{name} is no subject here: {', '.join(present())}")
    broken = 0
    if minutes is not None or cases is not None:
        broken += _campaign(minutes, cases, jobs, seed, list(only), folder)
    if kills:
        from tests.fuzz import kills as crash_tests

        broken += crash_tests.campaign(kills, jobs, seed, click.echo)
    sys.exit(1 if broken else 0)


def _campaign(
    minutes: float | None, cases: int | None, jobs: int, seed: int, only: list[str], folder: Path
) -> int:
    findings = Findings(folder)
    started = time.monotonic()
    seconds = float("inf") if minutes is None else minutes * 60

    def use(result: workers.Result) -> None:
        text, breaches, stdout, stderr = result
        before = len(findings.counts)
        findings.add(Case.from_json(text), breaches, stdout, stderr)
        for finding in list(findings.counts)[before:]:
            click.echo(f"found {finding.breach!r} in {finding.path.parent.name}", err=True)

    with contextlib.suppress(KeyboardInterrupt):
        workers.campaign(only, cases, seconds, jobs, seed, use)
    click.echo(findings.table(time.monotonic() - started))
    return len(findings.counts)


def _replay(path: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="wn-fuzz-") as scratch:
        world = World(Path(scratch) / "world")
        place = Path(scratch) / "replay"
        place.mkdir()
        with Sandbox(place, world) as sandbox:
            case = load(path)
            breaches, outcome = checked(case, sandbox)
    click.echo(case.line.encode("unicode_escape").decode()[:2000])
    click.echo(
        f"exit code {outcome.code}, {outcome.seconds:.2f} s, {outcome.peak_mb:.0f} MB at its peak"
    )
    for name, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr)):
        for line in text.decode("utf-8", "backslashreplace").splitlines()[-60:]:
            click.echo(f"{name} | {line.encode('unicode_escape').decode()[:500]}")
    for breach in breaches:
        click.echo(f"BROKEN {str(breach).encode('unicode_escape').decode()}")
    return 1 if breaches else 0


if __name__ == "__main__":
    main()
