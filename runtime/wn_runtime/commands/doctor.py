"""`wn-doctor`: one line for each thing an engine needs, and the one line that mends it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from wn_runtime import installation
from wn_runtime.commands import next_step, say
from wn_runtime.commands.command import command
from wn_runtime.commands.table import aligned
from wn_runtime.doctor.machine import Machine
from wn_runtime.doctor.report import Report, advice, examine, summary
from wn_runtime.engines.cache.directory import home_directory


@command()
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
def main(json_: bool) -> int:
    """What each engine needs here, what is missing, what that costs, and its fix.

    Exit code 0 while at least one engine can run, 1 when none can.
    """
    machine = Machine()
    report = examine(machine, cache_folder(machine))
    if json_:
        data = {
            "findings": [dataclasses.asdict(finding) for finding in report.findings],
            "engines": {
                name: {"runs": lack is None, "lacks": lack} for name, lack in report.engines.items()
            },
        }
        say.as_json(data)
        return 0 if report.runs else 1
    rows = []
    for finding in report.findings:
        fix = f"   fix: {finding.fix}" if finding.fix else ""
        rows.append([finding.state, finding.subject, finding.detail + fix])
    say.table(aligned(rows))
    say.line("")
    for line in [summary(report), *advice(report)]:
        say.line(line)
    say.line(_next(report))
    return 0 if report.runs else 1


def _next(report: Report) -> str:
    """The first thing to mend where nothing runs; else what wn-doctor was asked for."""
    if report.runs:
        return next_step.line("wn-run", "DIR")
    fixes = {finding.subject: finding.fix for finding in report.findings if finding.fix}
    lacking = [lack for lack in report.engines.values() if lack in fixes]
    first = fixes[lacking[0]] if lacking else installation.reinstall()
    return f"next     {first.rpartition(': ')[2]}"  # without what it is said to do


def cache_folder(machine: Machine) -> Path:
    """Where compiled libraries go; unlike `cache_directory` it is not made."""
    home = home_directory("XDG_CACHE_HOME", ".cache", machine.environ)
    return (home or Path("/nonexistent")) / "wavestep"


if __name__ == "__main__":
    main()
