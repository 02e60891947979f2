"""ibab's models made anew for tests: variables by their names, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ibab:
    """One model's settings."""

    dilations: tuple[int, ...] = (1, 2, 4, 1)
    width: int = 2
    residual: int = 6
    dilation: int = 5
    skip: int = 7
    classes: int = 16
    biases: bool = True
    scalar: bool = False
    first: int = 3
    """Of the first filter, where the input is amplitudes."""
    gc_channels: int = 0
    speakers: int = 0

    def params_file(self) -> dict[str, Any]:
        return {
            "filter_width": self.width,
            "sample_rate": 8000,
            "dilations": list(self.dilations),
            "residual_channels": self.residual,
            "dilation_channels": self.dilation,
            "quantization_channels": self.classes,
            "skip_channels": self.skip,
            "use_biases": self.biases,
            "scalar_input": self.scalar,
            "initial_filter_width": self.first,
        }

    def variables(self, seed: int = 0) -> dict[str, NDArray[np.float32]]:
        rng, table = np.random.default_rng(seed), {}

        def put(name: str, *shape: int) -> None:
            scale = np.sqrt(np.prod(shape[:-1])) if len(shape) > 1 else 4
            table[f"wavenet/{name}"] = (rng.standard_normal(shape) / scale).astype(np.float32)

        r, d, s = self.residual, self.dilation, self.skip
        put(
            "causal_layer/filter",
            *((self.first, 1) if self.scalar else (self.width, self.classes)),
            r,
        )
        for i in range(len(self.dilations)):
            at = f"dilated_stack/layer{i}"
            for half in ("filter", "gate"):
                put(f"{at}/{half}", self.width, r, d)
                if self.gc_channels:
                    put(f"{at}/gc_{half}", 1, self.gc_channels, d)
            put(f"{at}/dense", 1, d, r)
            put(f"{at}/skip", 1, d, s)
            if self.biases:
                for name, size in (("filter", d), ("gate", d), ("dense", r), ("slip", s)):
                    put(f"{at}/{name}_bias", size)
        for i, size in ((1, s), (2, self.classes)):
            put(f"postprocessing/postprocess{i}", 1, s, size)
            if self.biases:
                put(f"postprocessing/postprocess{i}_bias", size)
        if self.speakers:
            put("embeddings/gc_embedding", self.speakers, self.gc_channels)
        return table

    def answers(
        self, variables: dict[str, NDArray[np.float32]], x: NDArray[Any], speaker: int | None
    ) -> Array:
        """params[t] predicts x[t+1]; before x[0] its first filter sees silence: (T, A)."""
        w = {k.removeprefix("wavenet/"): v.astype(np.float64) for k, v in variables.items()}
        first = w["causal_layer/filter"]
        width = len(first)
        before = np.concatenate([np.full(width - 1, self.classes // 2), x])
        if self.scalar:
            mu = self.classes - 1
            curve = 2 * before / mu - 1
            given = (np.sign(curve) * ((1 + mu) ** np.abs(curve) - 1) / mu)[:, None]
        else:
            given = np.eye(self.classes)[before]
        h = sum(given[j : j + len(x)] @ first[j] for j in range(width))  # tap 0 is the oldest
        total: Any = 0
        for i, dilation in enumerate(self.dilations):
            at = f"dilated_stack/layer{i}"
            halves = []
            for half in ("filter", "gate"):
                kernel = w[f"{at}/{half}"]
                reach = (self.width - 1) * dilation
                padded = np.concatenate([np.zeros((reach, self.residual)), h])
                a = sum(
                    padded[j * dilation : j * dilation + len(x)] @ kernel[j]
                    for j in range(self.width)
                )
                a = a + w.get(f"{at}/{half}_bias", 0)
                if speaker is not None:
                    a = a + w["embeddings/gc_embedding"][speaker] @ w[f"{at}/gc_{half}"][0]
                halves.append(a)
            z = np.tanh(halves[0]) / (1 + np.exp(-halves[1]))
            total = total + z @ w[f"{at}/skip"][0] + w.get(f"{at}/slip_bias", 0)
            h = h + z @ w[f"{at}/dense"][0] + w.get(f"{at}/dense_bias", 0)
        y = np.maximum(total, 0)
        for i in (1, 2):
            at = f"postprocessing/postprocess{i}"
            y = y @ w[at][0] + w.get(f"{at}_bias", 0)
            y = np.maximum(y, 0) if i == 1 else y
        found: Array = y
        return found
