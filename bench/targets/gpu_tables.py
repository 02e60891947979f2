"""The tables of docs/cuda.md: what its model says of every GPU that the cuda engine runs on.

    python -m bench.targets.gpu_tables                       print them
    python -m bench.targets.gpu_tables --write docs/cuda.md  put them between the marks there

No GPU is asked: these are predictions, and the floor that they are held against.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from wn_runtime.engines.cuda.choose import Choice, cheapest, kernel_of
from wn_runtime.engines.cuda.costs import Gpu, floor
from wn_runtime.model.spec import ModelSpec
from wn_targets.devices.catalogue import TARGETS
from wn_targets.devices.target import Target
from wn_targets.models.cuda import cuda_gpu
from wn_targets.models.fit import fit
from wn_targets.models.registry import runs_cuda
from wn_targets.presets import PRESETS

MODEL, PRECISION, RATE = "paper", "int8", 16_000
BEGIN, END = "<!-- bench/targets/gpu_tables.py -->", "<!-- end -->"
_MOST = 1 << 14


def table() -> list[str]:
    """A row for each target: one stream against its floor, and how many are in real time."""
    spec = PRESETS[MODEL]
    rows = [
        "| target | one stream: schedule | cycles | samples/s | floor | of it | limited by "
        "| streams in real time | their schedule | one stream by name | samples/s |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for target in TARGETS.values():
        if runs_cuda(target):
            rows.append(_row(spec, target))
    return rows


def most_in_real_time(spec: ModelSpec, target: Target) -> int:
    """The most streams that are predicted to be made in real time side by side."""

    def enough(streams: int) -> bool:
        found = fit(spec, target, streams)
        return any(
            one.engine == "cuda" and one.fits and one.samples_per_second >= RATE
            for one in found.candidates
        )

    low, high = 0, 1
    while high < _MOST and enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low


def _row(spec: ModelSpec, target: Target) -> str:
    assert target.gpu is not None
    gpu, clock = cuda_gpu(target, target.gpu), 1e6 * target.gpu.clock_mhz
    one, streams = cheapest(spec, PRECISION, 1, gpu), most_in_real_time(spec, target)
    least = floor(kernel_of(one.schedule), gpu)
    many = _name(cheapest(spec, PRECISION, streams, gpu)) if streams else "none"
    named = cheapest(spec, PRECISION, 1, gpu, tried=False)
    parts = (
        target.name,
        _name(one),
        f"{one.cost.cycles:,.0f}",
        f"{clock / one.cost.cycles:,.0f}",
        f"{clock / least:,.0f}",
        f"{100 * least / one.cost.cycles:.0f} %",
        one.cost.limit,
        f"{streams:,}",
        many,
        *((str(named.kind), f"{clock / named.cost.cycles:,.0f}") if not named.kind.tried else "––"),
    )
    return f"| {' | '.join(parts)} |"


def _name(choice: Choice) -> str:
    return f"{choice.kind} {choice.schedule.source}"


def arithmetic(streams: int = 8) -> list[str]:
    """The step of the smallest Orin, part by part."""
    target = TARGETS["orin-nano-8gb"]
    assert target.gpu is not None
    gpu: Gpu = cuda_gpu(target, target.gpu)
    choice = cheapest(PRESETS[MODEL], PRECISION, streams, gpu)
    kernel, cost = kernel_of(choice.schedule), choice.cost
    groups = -(-streams // kernel.streams)
    clock = 1e6 * target.gpu.clock_mhz
    return [
        f"    {streams} streams, {choice.kind}: {groups} groups of {kernel.streams}, a block "
        f"each on {gpu.multiprocessors} multiprocessors",
        f"    reading   {kernel.bytes:,.0f} bytes / {kernel.bytes / cost.reading:.0f} a clock "
        f"= {cost.reading:,.0f} cycles",
        f"    chain     {cost.chain:,.0f} cycles",
        f"    step      {cost.cycles:,.0f} cycles / {target.gpu.clock_mhz} MHz "
        f"= {1e6 * cost.cycles / clock:.1f} µs: {clock / cost.cycles:,.0f} samples/s of each "
        f"stream, {clock / cost.cycles / RATE:.2f} × real time at 16 kHz",
    ]


def text() -> str:
    """What stands between the marks."""
    return "\n".join([*arithmetic(), "", *table()])


def main() -> None:
    """Print, or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--write", type=Path, help="the page")
    page: Path | None = parser.parse_args().write
    if page is None:
        print(text())
        return
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text()}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
