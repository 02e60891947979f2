"""What the CUDA engine's cost model assumes of a GPU, measured: cycles, and bytes a cycle.

    python -m bench.gpu.constants [--out bench/results/gpu-constants-NAME.json]

docs/cuda.md says what each stands for. Medians of five launches.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import click
import numpy as np

from wn_runtime.engines.cuda.source import SOURCE
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.errors import WavestepError

ROUNDS = 256
KERNELS: dict[str, tuple[str, int, int, int, int, float]] = {
    # name: (what, blocks, cluster, threads, shared bytes, things a round)
    "nothing": ("a round of the loop", 1, 1, 32, 0, 1),
    "product_int8": ("mma of int8, sum after sum", 1, 1, 32, 0, 1),
    "product_half": ("mma of halves, sum after sum", 1, 1, 32, 0, 1),
    "product_to_operand": ("mma of int8, result as operand", 1, 1, 32, 0, 1),
    "shared_read": ("read of shared memory", 1, 1, 32, 4096, 1),
    "shared_write_read": ("write and read of shared memory", 1, 1, 32, 4096, 1),
    "tanh_chain": ("tanh", 1, 1, 32, 0, 1),
    "to_int_and_back": ("float to int to float, and a sum", 1, 1, 32, 0, 1),
    "shuffle": ("shuffle, and a sum", 1, 1, 32, 0, 1),
    "reduce": ("largest of a warp's integers", 1, 1, 32, 0, 1),
    "block_barrier": ("barrier of 256 threads", 1, 1, 256, 0, 1),
    "turns": ("hand-over, named barrier", 1, 1, 384, 0, 2),
    "turns_with_data": ("hand-over with data, named barrier", 1, 1, 384, 4096, 2),
    "turns_by_signal": ("hand-over with data, signal", 1, 1, 384, 4096, 2),
    "between_blocks": ("hand-over between blocks of a cluster", 1, 2, 256, 4096, 2),
    "by_global_flag": ("hand-over by a flag in global memory", 2, 1, 32, 0, 2),
    "l2_latency": ("read of L2", 1, 1, 32, 0, 1),
}
READS = 16 * 2**20


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=click.Path(path_type=Path), help="write the figures there, as JSON")
def main(out: Path | None) -> None:
    """Measure the constants of docs/cuda.md on this GPU."""
    try:
        device = CudaDevice()
    except WavestepError as reason:
        print(f"error: {reason}", file=sys.stderr)
        raise SystemExit(2) from None
    text = Path(__file__).with_suffix(".cu").read_text("utf-8")
    text = text.replace('#include "device.cuh"\n', (SOURCE / "device.cuh").read_text("utf-8"))
    result = device.allocate((1,), np.int64)
    sink = device.allocate((2**20,), np.int32)
    figures: dict[str, float] = {}
    print(f"{device.name}, {device.multiprocessors} multiprocessors")

    def cycles(name: str, blocks: int, cluster: int, threads: int, shared: int) -> float:
        (kernel,) = device.kernels(text, name)
        device.allow(kernel, threads, shared, cluster)
        found = []
        for _ in range(5):
            device.clear(sink)
            device.launch(
                kernel, blocks, threads, shared, result.address, sink.address, cluster=cluster
            )
            found.append(int(device.download(result)[0]))
        return float(statistics.median(found))

    figures["mhz"] = 20e6 / cycles("clock_period", 1, 1, 32, 0) * 1e3
    print(f"{'clock':40} {figures['mhz']:8.0f} MHz")
    for name, (what, *config, things) in KERNELS.items():
        if name == "between_blocks" and device.compute_capability < "9.0":
            continue
        figures[name] = cycles(name, *map(int, config)) / ROUNDS / things
        print(f"{what:40} {figures[name]:8.1f} cycles")
    for name, what in (("l2_by_loads", "loads"), ("l2_by_copies", "copies")):
        threads, shared = (512, 0) if name == "l2_by_loads" else (32, 128 + 4 * 32768)
        for blocks in (1, device.multiprocessors):
            rate = READS / cycles(name, blocks, 1, threads, shared)
            figures[f"{name}_{blocks}"] = rate
            print(f"L2 by {what}, {blocks:3} blocks: {rate:25.1f} bytes a cycle and block")
    if out:
        content = {"gpu": device.name, "cycles": figures}
        out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
