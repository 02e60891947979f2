"""Where the cycles of a layer go on this GPU: who waits for whom, and for how long.

    python -m bench.gpu.timeline                          one stream of each model, in a cluster
    python -m bench.gpu.timeline --model L20 --schedule clustered:1:older --warps 4 4 8 4
    python -m bench.gpu.timeline --out bench/results/cuda-timeline-NAME.json

Of one stream in several blocks whose layers have one product (docs/cuda.md). Two chains go through
a block, and the longer one sets the pace:

    z of a layer -> z of the next                                   gate warps
    z -> h of the next layer -> its share of the sums of the layer after -> z of that
                                          residual, older and gate warps, for two layers

The kernel is the engine's with marks in it (timeline.cuh): a warp's clock as it comes to a wait, as
it is let through, and as it hands over. Medians over layers, blocks and the last steps of a launch;
with marks a sample takes longer than without. `pace` is from a layer's z to the next.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bench.gpu.engine import MODELS
from bench.repository import invocation
from tests.models.specs import random_uniforms, random_weights
from wn_runtime.engines.cuda.choose import VARIABLE, choose
from wn_runtime.engines.cuda.engine import CudaEngine
from wn_runtime.engines.cuda.open import this_gpu
from wn_runtime.engines.cuda.pack import pack
from wn_runtime.engines.cuda.schedule import Schedule
from wn_runtime.engines.device_loop.device import CudaDevice, DeviceArray
from wn_runtime.errors import WavestepError

MARKING = Path(__file__).with_suffix(".cuh")
READ_MARKS = "wn_read_marks"
READY, TAKEN, GIVEN = range(3)
STEPS, WARPS = 16, 32
"""As in timeline.cuh: steps that are kept, and room for warps."""
_WAITS = {
    "gate": ("barrier_sync(LAYER_READY + (slot & 1), SUMS_THREADS);", "slot"),
    "residual": (
        "barrier_sync(Z_READY + (CHAINED ? layer - here.first & 1 : 0), CHAIN_THREADS);",
        "layer - here.first",
    ),
    "older": ("barrier_sync(H_READY + (slot - 1 & 1), H_THREADS);", "slot"),
}
"""Of a role: where it waits for what a layer needs, and the layer's slot in its block there."""
_GIVES = {
    "gate": ("barrier_arrive(Z_READY + (slot & 1), CHAIN_THREADS);", "slot"),
    "residual": (
        "if (give) barrier_arrive(H_READY + (CHAINED ? layer - here.first & 1 : 0), H_THREADS);",
        "layer - here.first",
    ),
    "older": ("barrier_arrive(LAYER_READY + (slot & 1), SUMS_THREADS);", "slot"),
}


def marked(source: str, slots: int) -> str:
    """The engine's source with marks, of blocks of up to so many layers.

    Raises ValueError where it is not as it was when this was written.
    """
    for role in _WAITS:
        source = _around(source, *_WAITS[role], before=READY, after=TAKEN)
        source = _around(source, *_GIVES[role], before=GIVEN)
    marking = f"#define MARKED_SLOTS {slots}\n" + MARKING.read_text("utf-8")
    opening = "struct Here {"
    start = source.index(opening)
    end = source.index("\n};\n", start) + 4
    return source[:end] + marking + source[end:]


def _around(source: str, line: str, slot: str, before: int, after: int | None = None) -> str:
    if source.count(line) != 1:
        raise ValueError(f"the engine's source has this {source.count(line)} times: {line}")
    calls = [f"mark(here, step, {slot}, {what});" for what in (before, after) if what is not None]
    return source.replace(line, " ".join(["{", calls[0], line, *calls[1:], "}"]))


class MarkingDevice(CudaDevice):
    """A GPU that compiles the engine's kernel with marks in it."""

    slots = 0
    """Layers of the longest block."""
    _reader: Any = None

    def kernels(self, source: str, *names: str) -> list[Any]:
        """The same kernels; the one that reads the marks is kept."""
        *found, self._reader = super().kernels(marked(source, self.slots), *names, READ_MARKS)
        return found

    def marks(self, schedule: Schedule) -> NDArray[np.uint32]:
        """Clocks [blocks][WARPS][STEPS][layers of the longest block][3] of the last launch."""
        shape = (schedule.cluster, WARPS, STEPS, self.slots, 3)
        there: DeviceArray = self.allocate(shape, np.uint32)
        try:
            self.launch(self._reader, 1, 256, 0, there.address)
            return self.download(there)
        finally:
            self.free(there)


@dataclass(frozen=True)
class Timeline:
    """Of one block: clocks [steps][slots] of the last warp of a role, from a step's first z on.

    Of the gate warps a slot is the layer whose z they make; of the residual warps the one whose z
    they take, or whose h they give; of the older warps the one whose sums they make.
    """

    taken: dict[str, NDArray[np.int32]]
    given: dict[str, NDArray[np.int32]]
    waited: dict[str, NDArray[np.int32]]
    """What the warps of a role stood at its wait, their mean."""

    @classmethod
    def of(cls, schedule: Schedule, marks: NDArray[np.uint32], rank: int) -> Timeline:
        """marks: as `MarkingDevice.marks`."""
        widths, layers = schedule.widths, schedule.layers_of(rank)
        zero = marks[rank, 0, :, 0, GIVEN]
        since = (marks[rank, :, :, :layers] - zero[None, :, None, None]).astype(np.int32)
        older = schedule.warps - schedule.older_warps
        roles = {
            "gate": slice(0, widths.gate_warps),
            "residual": slice(widths.gate_warps, widths.gate_warps + widths.residual_warps),
            "older": slice(older, schedule.warps),
        }
        return cls(
            {role: since[warps, ..., TAKEN].max(0) for role, warps in roles.items()},
            {role: since[warps, ..., GIVEN].max(0) for role, warps in roles.items()},
            {
                role: (since[warps, ..., TAKEN] - since[warps, ..., READY]).mean(0).astype(np.int32)
                for role, warps in roles.items()
            },
        )

    def spans(self) -> dict[str, NDArray[np.int32]]:
        """Cycles of each thing of a layer, [steps][slots from the third on]."""
        taken, given = self.taken, self.given

        def at(clocks: NDArray[np.int32], back: int) -> NDArray[np.int32]:
            return clocks[:, 2 - back : clocks.shape[1] - back]

        return {
            "pace": at(given["gate"], 0) - at(given["gate"], 1),
            "gate, z to z": at(taken["gate"], 0) - at(given["gate"], 1),
            "gate works": at(given["gate"], 0) - at(taken["gate"], 0),
            "gate to residual": at(taken["residual"], 2) - at(given["gate"], 2),
            "residual works": at(given["residual"], 1) - at(taken["residual"], 2),
            "residual to older": at(taken["older"], 0) - at(given["residual"], 1),
            "older works": at(given["older"], 0) - at(taken["older"], 0),
            "older to gate": at(taken["gate"], 0) - at(given["older"], 0),
            "gate waits": at(self.waited["gate"], 0),
            "residual waits": at(self.waited["residual"], 0),
            "older waits": at(self.waited["older"], 0),
            "sums after z": at(given["older"], 0) - at(given["gate"], 1),
        }


def measure(device: MarkingDevice, schedule: Schedule, steps: int) -> dict[str, float]:
    """Medians of a schedule's spans in cycles, and how often the sums are what gates wait for.

    Raises WavestepError for a schedule whose layers have two products, or too few in each block.
    """
    sizes = [schedule.layers_of(rank) for rank in range(schedule.layer_ranks)]
    if not schedule.chained or max(sizes) < 3:
        raise WavestepError(
            "the timeline is of blocks of three layers or more with one product each, not of "
            f"{schedule.note}; name a schedule as clustered:1 of a larger model"
        )
    device.slots = max(sizes)
    engine = CudaEngine(device, schedule, 1, pack(schedule, random_weights(schedule.spec)))
    engine.generate(None, random_uniforms(steps, 1, 0, schedule.spec.output.uniforms))
    marks = device.marks(schedule)
    engine.close()
    spans: dict[str, list[int]] = {}
    for rank in range(schedule.layer_ranks):
        if sizes[rank] < 3:
            continue
        for name, cycles in Timeline.of(schedule, marks, rank).spans().items():
            spans.setdefault(name, []).extend(cycles.ravel().tolist())
    found = {name: float(statistics.median(cycles)) for name, cycles in spans.items()}
    late = spans.pop("sums after z")
    found["sums come last"] = sum(cycles > 0 for cycles in late) / len(late)
    return found


def speed(device: CudaDevice, schedule: Schedule, steps: int) -> float:
    """Samples a second of the fastest of four launches, transfers included."""
    engine = CudaEngine(device, schedule, 1, pack(schedule, random_weights(schedule.spec)))
    uniforms = random_uniforms(steps, 1)
    seconds = []
    for _ in range(4):
        started = time.perf_counter()
        engine.generate(None, uniforms)
        seconds.append(time.perf_counter() - started)
    engine.close()
    return steps / min(seconds)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--model", default="", help="only models whose name begins so")
@click.option("--precision", default="int8")
@click.option("--schedule", "named", multiple=True, default=("clustered:1",))
@click.option("--warps", type=int, nargs=4, help="gate, residual, skip and older warps")
@click.option("--steps", default=4096, help="samples of a launch; the last 16 are looked at")
@click.option("--out", type=click.Path(path_type=Path), help="write the figures there, as JSON")
def main(
    model: str,
    precision: str,
    named: tuple[str, ...],
    warps: tuple[int, int, int, int] | None,
    steps: int,
    out: Path | None,
) -> None:
    """Measure where the cycles of a layer go on this GPU."""
    rows: list[dict[str, Any]] = []
    try:
        for name, called in itertools.product(MODELS, named):
            if not name.startswith(model):
                continue
            device = MarkingDevice()
            gpu = this_gpu(device).gpu
            schedule = choose(MODELS[name], precision, 1, gpu, {VARIABLE: called}).schedule
            if warps:
                schedule = dataclasses.replace(schedule, most_warps=warps)
            cycles = measure(device, schedule, steps)
            samples = speed(CudaDevice(), schedule, steps)
            print(f"\n{name}, {precision}, {called} on {device.name}: {schedule.note}")
            print(f"  {'samples a second, without marks':34} {samples:10,.0f}")
            for what, count in cycles.items():
                print(f"  {what:34} {count:10.2f}")
            row = {"gpu": device.name, "model": name, "precision": precision, "schedule": called}
            row["warps"] = ",".join(map(str, schedule.most_warps))
            rows.append({**row, "samples_per_second": round(samples), "cycles": cycles})
    except WavestepError as reason:
        print(f"error: {reason}", file=sys.stderr)
        raise SystemExit(2) from None
    if out is not None:
        text = json.dumps({"command": invocation(), "rows": rows}, indent=1)
        out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
