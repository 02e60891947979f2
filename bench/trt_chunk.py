"""How build time, size and speed grow with K, the samples of one call of a chunk graph.

    python -m bench.trt_chunk [--spec L20R64] [--steps 1 2 4 8 16] [-o bench/results/trt_chunk]

Speed is ONNX Runtime's CPU provider, one thread, inputs and outputs bound once, the host doing
between two calls what a host must: the rows of `past` in, those of `present` out. Every K is timed
in turn, several times, and the best is kept; time is the CPU's, since this machine's cores are
shared. Builds are TensorRT-RTX's of the fp16 graph, which need no GPU; theirs is wall time.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from wn_export.graphs.chunk import build_chunk_graph
from wn_export.graphs.step import build_step_graph
from wn_export.tensorrt import build as build_trt
from wn_runtime.engines.device_loop.memory import graph_inputs, graph_outputs, tensor_type
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import shapes
from wn_runtime.synthesis.sampling import CategoricalSampler

SPECS = {
    "L20R32": ModelSpec(16000, tuple(2**i for i in range(10)) * 2, residual=32, gate=64),
    "L20R64": ModelSpec(16000, tuple(2**i for i in range(10)) * 2, residual=64, gate=128),
    "L30R64": ModelSpec(16000, tuple(2**i for i in range(10)) * 3, residual=64, gate=128, skip=256),
}


class Host:
    """The least a host does around a call: rings in NumPy, and for K = 1 the sampling."""

    def __init__(self, graph: onnx.ModelProto, spec: ModelSpec, steps: int) -> None:
        self.spec, self.steps, self.t = spec, steps, 0
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        started = time.perf_counter()
        self.session = ort.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self.load_seconds = time.perf_counter() - started
        self.binding = self.session.io_binding()
        self.arrays: dict[str, Any] = {}
        for bind, tensors in (
            (self.binding.bind_input, graph_inputs(spec, 1, steps)),
            (self.binding.bind_output, graph_outputs(spec, 1, steps)),
        ):
            for name, shape in tensors.items():
                array = np.zeros(shape, tensor_type(name, "fp32"))
                self.arrays[name] = array
                bind(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        longest = max(spec.dilations) * (spec.kernel - 1) + steps
        self.rings = np.zeros((spec.layers, 2 * longest, spec.residual), np.float32)
        self.wrap = 2 * longest
        offsets = np.array(spec.dilations)[:, None] - np.arange(steps)[None]  # [L, K], k = 2
        self.reads, self.layer = -offsets, np.arange(spec.layers)[:, None]
        self.draw = CategoricalSampler(1, spec.classes, 1.0)
        self.next = np.zeros(1, np.int32)

    def call(self, uniforms: np.ndarray) -> None:
        arrays, steps = self.arrays, self.steps
        rows = self.rings[self.layer, (self.t + self.reads) % self.wrap]  # [L, K, R]
        arrays["past"].reshape(rows.shape)[...] = rows
        if steps > 1:
            arrays["uniforms"][:, 0] = uniforms
            arrays["forced"][...] = -1
            arrays["inverse_temperature"][...] = 1
        self.session.run_with_iobinding(self.binding)
        written = (self.t + np.arange(steps)) % self.wrap
        self.rings[self.layer, written[None]] = arrays["present"].reshape(rows.shape)
        if steps == 1:
            self.draw(arrays["params"], uniforms, self.next)
            arrays["sample"][0, 0] = self.next[0]
        else:
            arrays["sample"][0, 0] = arrays["samples"][-1, 0]
        self.t += steps


def random_weights(spec: ModelSpec) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        name: (rng.standard_normal(shape) / max(shape[-2:]) ** 0.5).astype(np.float32)
        for name, shape in shapes(spec).items()
    }


def built(graph: onnx.ModelProto, builder: build_trt.Builder | None) -> tuple[float, int] | None:
    """Seconds and bytes of a plan."""
    if builder is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "graph.onnx"
        onnx.save(graph, path)
        plan = build_trt.build(path, builder)
    return plan.seconds, len(plan.data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", choices=SPECS, default="L20R64")
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path)
    settings = parser.parse_args()
    spec = SPECS[settings.spec]
    weights = random_weights(spec)
    try:
        builder = build_trt.find_builder("tensorrt_rtx", without_gpu=True)
    except WavestepError as error:
        print(f"no builds: {error}")
        builder = None
    rows, hosts = [], []
    for steps in settings.steps:
        graph = (
            build_step_graph(spec, weights)
            if steps == 1
            else build_chunk_graph(spec, weights, steps)
        )
        host = Host(graph, spec, steps)
        half = (
            build_step_graph(spec, weights, "fp16")
            if steps == 1
            else build_chunk_graph(spec, weights, steps, "fp16")
        )
        plan = built(half, builder)
        hosts.append(host)
        rows.append(
            {
                "K": steps, "nodes": len(graph.graph.node), "onnx_bytes": graph.ByteSize(),
                "load_seconds": host.load_seconds,
                "build_seconds": plan and plan[0], "plan_bytes": plan and plan[1],
            }
        )  # fmt: skip
    best = [0.0] * len(hosts)
    samples = 32 * 24
    uniforms = np.random.default_rng(0).random(samples, np.float32)
    for _ in range(settings.repeats):
        for index, host in enumerate(hosts):
            started = time.process_time()
            for start in range(0, samples, host.steps):
                host.call(uniforms[start : start + host.steps])
            rate = samples / (time.process_time() - started)
            best[index] = max(best[index], rate)
    print(f"{settings.spec}, ONNX Runtime {ort.__version__}, 1 thread")
    print("K   nodes  ONNX MB  load s  RTX build s  plan MB  samples/s  ratio to K=1")
    for row, rate in zip(rows, best, strict=True):
        row["samples_per_second"], row["ratio"] = rate, rate / best[0]
        seconds, size = row["build_seconds"], row["plan_bytes"]
        plan_text = f"{seconds:11.2f}  {size / 1e6:7.2f}" if size else "          -        -"
        print(
            f"{row['K']:<3d} {row['nodes']:5d}  {row['onnx_bytes'] / 1e6:7.2f}  "
            f"{row['load_seconds']:6.2f}  {plan_text}  {rate:9.0f}  {row['ratio']:5.2f}"
        )
    if settings.output:
        result = {
            "spec": settings.spec, "machine": platform.machine(), "onnxruntime": ort.__version__,
            "builder": builder and f"{builder.flavour} {builder.trt.__version__}", "rows": rows,
        }  # fmt: skip
        settings.output.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
