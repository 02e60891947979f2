"""NVIDIA's nv-wavenet on this machine's GPU: samples per second of each of its implementations.

    python -m bench.peers.nv_wavenet.speed CHECKOUT [--out bench/results/nv-wavenet-h100.json]

CHECKOUT is of github.com/NVIDIA/nv-wavenet and stays as it is: copies of its headers get the edits
that a CUDA of today needs (build.py), and driver.cu, which times its
nvWavenetInfer, is compiled against them. Needs a GPU, its driver and CUDA's nvcc, for about a
minute and a half.

Its network is that of the presets, but for two taps in the first convolution and a conditioning,
here of zeros, that its gates always read. Random weights.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bench.peers.nv_wavenet.build import (
    EDITS,
    FLAGS,
    IMPLEMENTATIONS,
    PROGRAMS,
    Program,
    compile_all,
    prepare,
)
from bench.peers.nv_wavenet.cases import Case, measure
from wn_export.bench import ask
from wn_export.bench.machine import machine_facts
from wn_runtime.errors import WavestepError

ALONE = ((1, 1),)
TOGETHER = ((4, 1), (4, 4), (16, 1), (16, 4), (64, 1), (64, 4))
"""Streams, and those of them that share a thread block."""
REFERENCE = "single block"
"""It waits for no other block: what it makes, the others should make."""
Measured = dict[Program, list[Case]]


@click.command()
@click.argument("checkout", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write all figures here as JSON.")
@click.option("--case-seconds", default=30.0, show_default=True, help="A case's, then it is hung.")
@click.option("--seconds", default=150.0, show_default=True, help="All cases'; the rest are left.")
def main(checkout: Path, out: Path | None, case_seconds: float, seconds: float) -> None:
    """Compile, measure, print the best of each kind, and write all of it down."""
    try:
        nvcc, architecture = find_nvcc(), find_architecture()
        with tempfile.TemporaryDirectory(prefix="nv-wavenet-") as scratch:
            folder = Path(scratch)
            begun = time.monotonic()
            facts: dict[str, Any] = {"nv_wavenet_headers_sha256": prepare(checkout, folder)}
            compile_all(nvcc, architecture, folder)
            click.echo(f"{len(PROGRAMS)} programs compiled in {time.monotonic() - begun:.0f} s")
            version = ask.answer([nvcc, "--version"], 20).strip().splitlines()[-1:]
            facts |= {"nvcc": version, "flags": [f"-arch={architecture}", *FLAGS]}
            facts |= {"edits": [asdict(edit) for edit in EDITS], "machine": machine_facts()}
            measured: Measured = {program: [] for program in PROGRAMS}
            deadline = time.monotonic() + seconds
            for shares in (ALONE, TOGETHER):  # first of all programs what matters most
                for program in PROGRAMS:
                    cases = [Case(*share) for share in shares]
                    measured[program] += cases
                    if time.monotonic() < deadline:
                        measure([str(folder / program.name)], cases, case_seconds)
                    if out:
                        out.write_text(json.dumps(facts | {"rows": rows(measured)}, indent=1))
    except WavestepError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    click.echo(table(measured))


def find_nvcc() -> str:
    """CUDA's compiler: on the path, or where CUDA is installed. Raises WavestepError."""
    named = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")]
    homes = [home for home in named if home] or ["/usr/local/cuda"]
    folders = [str(Path(home) / "bin") for home in homes]
    found = shutil.which("nvcc") or shutil.which("nvcc", path=os.pathsep.join(folders))
    if found is None:
        raise WavestepError(
            f"no nvcc on the path or in {', '.join(folders)}; install the CUDA toolkit"
        )
    return found


def find_architecture() -> str:
    """The first GPU's, such as sm_90. Raises WavestepError where there is none."""
    query = ["nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"]
    said = ask.answer(query, 20).split()
    if not said:
        raise WavestepError("nvidia-smi names no GPU; run this on a machine with an NVIDIA GPU")
    return f"sm_{said[0].replace('.', '')}"


def rows(measured: Measured) -> list[dict[str, Any]]:
    """Every case, ready for JSON; its first samples as the number that agree with REFERENCE's."""
    found = []
    for program, cases in measured.items():
        reference = measured[Program(program.model, program.precision, REFERENCE)]
        for case in cases:
            row = asdict(program) | asdict(case)
            own = row.pop("first")
            if own and reference[0].first:
                row["samples_shown"] = len(own)
                row["agree"] = agreeing(own, reference[0].first)
            found.append(row)
    return found


def agreeing(one: list[int], other: list[int]) -> int:
    """How many samples from the start are the same in both."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def table(measured: Measured) -> str:
    """A line for each model, precision and number of streams: the best of each implementation."""
    title = "samples/s of each stream (streams a block)"
    lines = [f"{title:44}" + "".join(f"{name:>18}" for name in IMPLEMENTATIONS)]
    kinds = dict.fromkeys((program.model, program.precision) for program in measured)
    for model, precision in kinds:
        for streams in dict.fromkeys(streams for streams, _ in ALONE + TOGETHER):
            cells = []
            for implementation in IMPLEMENTATIONS:
                cases = measured[Program(model, precision, implementation)]
                cells.append(_cell([case for case in cases if case.streams == streams]))
            label = f"{model} {precision}, {streams} stream{'s' * (streams > 1)}"
            lines.append(f"{label:44}" + "".join(f"{cell:>18}" for cell in cells))
    wrong = [
        f"{program.name}, {case.streams}:{case.a_block}: {case.status}"
        for program, cases in measured.items()
        for case in cases
        if case.status != "ok"
    ]
    return "\n".join(lines + wrong)


def _cell(cases: list[Case]) -> str:
    best = max(cases, key=lambda case: case.samples_per_second or 0, default=None)
    if best is None or best.samples_per_second is None:
        return "-"
    return f"{best.samples_per_second:,.0f} ({best.a_block})"


if __name__ == "__main__":
    main()
