"""K samples in one call: the step graph unrolled, with sampling inside and no control flow.

    sample [B, k0] ── step 0 ── draw ─┬─ step 1 ── draw ─┬─ … ─ samples [K, B]
    uniforms [K, B] ─────────┘        └── class ─► ──────┘
    past [L, k-1, K, B, R] ── taps of all K steps, one MatMul ── those of steps inside the call
                                                                 from the steps themselves

For a host where a call costs as much as a step: Triton, a Python loop, an interpreter on a phone.
Of `past`, entry (l, j-1, i) is layer l's input j*d steps before step i; where that step is one of
this same call (i >= j*d) the entry is not read. Layers with d >= K, all but log2(K) of a stack of
doubling dilations, hence have all their taps before the chain starts.

Which K (bench/trt_chunk.py, bench/results/trt_chunk_*.json, against one call a sample): nodes and
plan size grow as K does, the build faster (a second at K = 1, a minute and more at K = 8). ONNX
Runtime on a CPU, whose calls are cheap, gains nothing at R = 32 (0.86 to 0.95); at R = 64, whose
weights no longer fit its L2, taps of K steps read theirs once: 1.10 at K = 4, 1.23 at K = 8, 1.26
at K = 16. On one's own GPU a CUDA graph saves the same calls without the build. So K = 1 is the
default, K = 4 to 8 for a host where a call costs as much as several steps, and more is for none.
"""

from __future__ import annotations

import json

import numpy as np
import onnx
from numpy.typing import NDArray

from wn_export.graphs.builder import GraphBuilder
from wn_export.graphs.draw import Draw
from wn_export.graphs.step import layer_name, residual_offsets
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights, check

MOST_STEPS = 256


def build_chunk_graph(
    spec: ModelSpec, weights: Weights, steps: int, precision: str = "fp32", batch: int = 1
) -> onnx.ModelProto:
    """The checked graph that makes `steps` samples (K) of `batch` streams a call.

    Inputs beside `sample` and `past`: uniforms [K, B] float32 in [0, 1); forced [K, B] int32, the
    class that step is to have, or -1 where it is drawn; inverse_temperature [1] float32, 0 for
    argmax; bias [K, L, B, G] for a model with conditions. Outputs: samples [K, B] int32; params
    [K, B, A] float32, what they were drawn from; present [L, K, B, R]. With K = 1 the K axes are
    there too. Raises WavestepError for a K out of range.
    """
    check(weights, spec, "chunk graph")
    if not 1 <= steps <= MOST_STEPS:
        raise WavestepError(f"steps per call is {steps}; it must be 1 to {MOST_STEPS}")
    return _Chunk(spec, weights, steps, precision, batch).build()


class _Chunk:
    """A graph in the making: constants are shared by all steps, nodes named after their step."""

    def __init__(
        self, spec: ModelSpec, weights: Weights, steps: int, precision: str, batch: int
    ) -> None:
        self.spec, self.weights, self.steps, self.batch = spec, weights, steps, batch
        self.precision = precision
        self.graph = GraphBuilder("chunk", precision)
        self.offsets = residual_offsets(spec, weights)
        self.inputs: list[list[str]] = []  # [step][layer]: h, less its offset
        self._constants: set[str] = set()

    def build(self) -> onnx.ModelProto:
        graph, spec, steps, batch = self.graph, self.spec, self.steps, self.batch
        graph.input("sample", [batch, spec.input_kernel], np.int32)
        graph.input("past", [spec.layers, spec.kernel - 1, steps, batch, spec.residual])
        if spec.conditions:
            graph.input("bias", [steps, spec.layers, batch, spec.gate])
        graph.input("uniforms", [steps, batch], np.float32)
        graph.input("forced", [steps, batch], np.int32)
        graph.input("inverse_temperature", [1], np.float32)
        taps = self._taps()
        draw = Draw(graph, spec.classes, batch)
        rows = {name: self._rows(name) for name in ("uniforms", "forced")}
        window, samples, params = "sample", [], []
        for step in range(steps):
            logits = self._step(step, window, taps[step])
            drawn = draw(step, logits, rows["uniforms"][step], rows["forced"][step])
            window = self._heard(step, window, drawn)
            samples.append(self._stacked(f"step{step}/sample", drawn, [1, batch]))
            params.append(self._stacked(f"step{step}/params", logits, [1, batch, spec.classes]))
        self._joined("samples", samples, [steps, batch], np.int32)
        self._joined("params", params, [steps, batch, spec.classes], np.float32)
        self._present()
        return graph.model(
            {
                "spec": json.dumps(spec.to_dict()),
                "precision": self.precision,
                "batch": str(batch),
                "steps_per_call": str(steps),
            }
        )

    def _taps(self) -> list[list[tuple[str, str]]]:
        """[step][layer]: filter and gate [B, G/2] from the steps before the call, and biases."""
        graph, spec, steps, batch = self.graph, self.spec, self.steps, self.batch
        layers, older, gate = spec.layers, spec.kernel - 1, spec.gate
        j = np.arange(1, spec.kernel)[None, :, None]
        d = np.array(spec.dilations)[:, None, None]
        before = np.arange(steps)[None, None] < j * d  # [L, k-1, K]: the tap is before the call
        past = "past"
        if not before.all():
            known = self._constant("taps/known", before[..., None, None])
            zero = self._constant("taps/zero", np.zeros(1))
            past = graph.node("Where", "taps/before", known, past, zero)
        if older > 1:
            past = graph.node("Transpose", "taps/by_row", past, perm=[0, 2, 3, 1, 4])
        past = graph.node(
            "Reshape", "taps/past", past, graph.shape(layers, steps * batch, older * spec.residual)
        )
        weight = self.weights["gate.weight"]
        table = weight[:, 1:].reshape(layers, older * spec.residual, gate)
        total = graph.node("MatMul", "taps/product", past, self._constant("taps.weight", table))
        # The chain carries h less its offset, the delay lines h itself (see residual_offsets).
        inside = np.concatenate([np.ones((layers, 1, steps)), ~before], axis=1)  # with tap 0
        constant = self.weights["gate.bias"][:, None] + np.einsum(
            "lji,lr,ljrg->lig", inside, self.offsets, weight.astype(np.float64)
        )
        full = graph.shape(layers, steps, batch, gate)
        total = graph.node("Reshape", "taps/rows", total, full)
        total = graph.node(
            "Add", "taps/sum", total, self._constant("taps.bias", constant[:, :, None])
        )
        if spec.conditions:
            bias = graph.node("Transpose", "taps/bias", "bias", perm=[1, 0, 2, 3])
            total = graph.node("Add", "taps/conditioned", total, bias)
        total = graph.node("Reshape", "taps", total, graph.shape(layers * steps * batch, gate))
        halves = ["taps/filter", "taps/gate"]
        graph.split("taps/halves", total, halves, gate // 2, axis=1)
        for half in halves:
            names = [
                f"step{step}/{layer_name(layer)}/{half}"
                for layer in range(layers)
                for step in range(steps)
            ]
            graph.split(f"{half}/rows", half, names, batch, axis=0)
        return [
            [
                (f"step{step}/{layer_name(layer)}/{halves[0]}",
                 f"step{step}/{layer_name(layer)}/{halves[1]}")
                for layer in range(layers)
            ]
            for step in range(steps)
        ]  # fmt: skip

    def _step(self, step: int, window: str, taps: list[tuple[str, str]]) -> str:
        """One step of the network: logits [B, A] float32."""
        graph, spec, weights = self.graph, self.spec, self.weights
        h = self._embed(step, window)
        inputs: list[str] = []
        zs: list[str] = []
        self.inputs.append(inputs)
        for layer in range(spec.layers):
            inputs.append(h)
            name = f"step{step}/{layer_name(layer)}"
            kinds = ("filter", "gate")
            pieces = []
            for half, (kind, total) in enumerate(zip(kinds, taps[layer], strict=True)):
                for j in range(spec.kernel - 1, -1, -1):  # the current sample's last: the chain
                    ago = j * spec.dilations[layer]
                    if ago <= step:
                        source = self.inputs[step - ago][layer]
                        weight = self._gate_weight(layer, j, half)
                        total = graph.node("Gemm", f"{name}/{kind}{j}", source, weight, total)
                pieces.append(total)
            z = graph.node(
                "Mul",
                f"{name}/z",
                graph.node("Tanh", f"{name}/tanh", pieces[0]),
                graph.node("Sigmoid", f"{name}/sigmoid", pieces[1]),
            )
            zs.append(z)
            if layer < spec.layers - 1:
                scaled = weights["residual.weight"][layer] * np.float64(spec.residual_scale)
                weight = self._constant(f"{layer_name(layer)}/residual.weight", scaled)
                beta = float(spec.residual_scale)
                h = graph.node("Gemm", f"{name}/residual", z, weight, h, beta=beta)
        y = graph.node("Concat", f"step{step}/skip/z", *zs, axis=1)
        skip = weights["skip.weight"].reshape(-1, spec.skip)
        y = self._product(step, "skip", y, skip, weights["skip.bias"])
        y = graph.node("Relu", f"step{step}/skip/relu", y)
        y = self._product(step, "head0", y, weights["head.0.weight"], weights["head.0.bias"])
        y = graph.node("Relu", f"step{step}/head0/relu", y)
        y = self._product(step, "head1", y, weights["head.1.weight"], weights["head.1.bias"])
        if graph.element == np.float32:
            return y
        return graph.node("Cast", f"step{step}/logits", y, to=int(onnx.TensorProto.FLOAT))

    def _embed(self, step: int, window: str) -> str:
        """h [B, R] of the last k0 classes [B, k0]."""
        graph, spec, name = self.graph, self.spec, f"step{step}/input"
        rows = np.array(self.weights["input.weight"][::-1], np.float64)
        rows[-1] += self.weights["input.bias"]
        table = self._constant("input/table", rows.reshape(-1, spec.residual))  # [k0 * A, R]
        starts = np.arange(spec.input_kernel, dtype=np.int32) * spec.classes
        if spec.input_kernel == 1:
            found = graph.node("Gather", f"{name}/rows", table, window)  # [B, 1, R]
            return graph.node("Reshape", name, found, graph.shape(self.batch, spec.residual))
        starts_of = self._constant("input/starts", starts)
        index = graph.node("Add", f"{name}/index", window, starts_of)
        found = graph.node("Gather", f"{name}/rows", table, index)  # [B, k0, R]
        return graph.node("ReduceSum", name, found, graph.shape(1), keepdims=0)

    def _heard(self, step: int, window: str, drawn: str) -> str:
        """The window [B, k0] of the next step."""
        graph, width, batch = self.graph, self.spec.input_kernel, self.batch
        newest = graph.node("Reshape", f"step{step}/newest", drawn, graph.shape(batch, 1))
        if width == 1:
            return newest
        kept = self._constant("window/kept", np.arange(1, width, dtype=np.int32))
        older = graph.node("Gather", f"step{step}/older", window, kept, axis=1)
        return graph.node("Concat", f"step{step}/window", older, newest, axis=1)

    def _rows(self, name: str) -> list[str]:
        """Row i of uniforms as [B, 1], of forced as [B]."""
        graph = self.graph
        pieces = [f"step{step}/{name}/row" for step in range(self.steps)]
        graph.split(f"{name}/rows", name, pieces, 1, axis=0)  # [1, B] each
        shape = (self.batch, 1) if name == "uniforms" else (self.batch,)
        return [
            graph.node("Reshape", f"step{step}/{name}", piece, graph.shape(*shape))
            for step, piece in enumerate(pieces)
        ]

    def _present(self) -> None:
        """Every layer's input at every step, the offsets added back: [L, K, B, R]."""
        graph, spec = self.graph, self.spec
        shape = [spec.layers, self.steps, self.batch, spec.residual]
        names = [self.inputs[step][layer] for layer in range(spec.layers)
                 for step in range(self.steps)]  # fmt: skip
        rows = graph.node("Concat", "present/rows", *names, axis=0)
        stacked = graph.node("Reshape", "present/stacked", rows, graph.shape(*shape))
        offset = self._constant("present.offset", self.offsets[:, None, None])
        graph.node("Add", "present", stacked, offset)
        graph.output("present", shape)

    def _stacked(self, name: str, tensor: str, shape: list[int]) -> str:
        return self.graph.node("Reshape", name, tensor, self.graph.shape(*shape))

    def _joined(self, name: str, pieces: list[str], shape: list[int], dtype: type) -> None:
        self.graph.node("Concat", name, *pieces, axis=0)
        self.graph.output(name, shape, dtype)

    def _product(
        self,
        step: int,
        name: str,
        x: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
    ) -> str:
        w = self._constant(f"{name}.weight", weight)
        b = self._constant(f"{name}.bias", bias)
        return self.graph.node("Gemm", f"step{step}/{name}", x, w, b)

    def _gate_weight(self, layer: int, tap: int, half: int) -> str:
        width = self.spec.gate // 2
        columns = slice(half * width, (half + 1) * width)
        name = f"{layer_name(layer)}/{('filter', 'gate')[half]}{tap}.weight"
        return self._constant(name, self.weights["gate.weight"][layer, tap][:, columns])

    def _constant(self, name: str, array: NDArray[np.generic]) -> str:
        """An initialiser, made when it is first asked for."""
        if name not in self._constants:
            self._constants.add(name)
            self.graph.constant(name, array)
        return name
