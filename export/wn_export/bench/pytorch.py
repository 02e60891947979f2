"""PyTorch as it is usually run: one `step` a sample, and the whole window for every sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_export.bench.measure import Generator, block_length
from wn_export.parity.pytorch import Trained, conditions_of, load
from wn_runtime.errors import WavestepError
from wn_runtime.model.manifest import Manifest
from wn_runtime.synthesis.sampling import CategoricalSampler, Uniforms

INCREMENTAL, WINDOW = "pytorch", "pytorch-window"


def torch_generators(checkpoint: Path, manifest: Manifest, threads: int) -> list[Generator]:
    """Both ways of generation, one stream each; they keep their state from block to block.

    Raises WavestepError for a checkpoint that is not of the manifest's spec.
    """
    trained = load(checkpoint, raw=manifest.source.get("weights") == "raw")
    if trained.model.spec != manifest.spec:
        raise WavestepError(
            f"{checkpoint} is another model than {manifest.name}: its spec differs; give the "
            "checkpoint that the directory was exported from"
        )
    torch.set_num_threads(threads)
    block = block_length(manifest.spec.sample_rate)
    uniforms = Uniforms(0, 1).draw(block)  # (P, 1), the same for every block
    return [
        Generator(INCREMENTAL, "fp32", 1, threads, block, Incremental(trained, uniforms)),
        Generator(WINDOW, "fp32", 1, threads, 1, Window(trained, uniforms[:1])),
    ]


class Incremental:
    """`WaveNet.step`, its state passed on as a value. A call makes a sample for each uniform."""

    def __init__(self, trained: Trained, uniforms: NDArray[np.float32]) -> None:
        spec = trained.model.spec
        self._model, self._uniforms = trained.model, uniforms  # (P, 1)
        self._conditions = _conditions(trained)
        self._draw = CategoricalSampler(1, spec.classes, temperature=1.0)
        self._newest = torch.full((1,), spec.silence)
        self._state = self._model.initial_state(1)

    @torch.inference_mode()
    def __call__(self) -> NDArray[np.int64]:
        """The next samples, (P, 1)."""
        codes = np.empty((len(self._uniforms), 1), np.int64)
        for uniform, code in zip(self._uniforms, codes, strict=True):
            logits, self._state = self._model.step(self._newest, self._conditions, self._state)
            self._draw(logits.numpy(), uniform, code)
            self._newest = torch.from_numpy(code)
        return codes


class Window:
    """`WaveNet.forward` over the receptive field, anew for each sample.

    It hears silence where `Incremental` has zeroed delay lines: the two agree once a stream is
    longer than the receptive field.
    """

    def __init__(
        self,
        trained: Trained,
        uniforms: NDArray[np.float32],
        heard: NDArray[np.int64] | None = None,
    ) -> None:
        """heard: (T,) samples before the first, at least a receptive field; None for silence."""
        spec = trained.model.spec
        self._model, self._uniforms = trained.model, uniforms
        self._conditions = _conditions(trained)
        self._draw = CategoricalSampler(1, spec.classes, temperature=1.0)
        # One more than the field: forward never shows a prediction the sample it predicts.
        self._samples = torch.full((1, spec.receptive_field + 1), spec.silence)
        if heard is not None:
            self._samples[0, :-1] = torch.from_numpy(heard[-spec.receptive_field :])

    @torch.inference_mode()
    def __call__(self) -> NDArray[np.int64]:
        """The next samples, (P, 1)."""
        codes = np.empty((len(self._uniforms), 1), np.int64)
        for uniform, code in zip(self._uniforms, codes, strict=True):
            logits = self._model(self._samples, self._conditions)[:, -1]
            self._draw(logits.numpy(), uniform, code)
            self._samples[0, -1] = int(code[0])
            self._samples = torch.roll(self._samples, -1, 1)
        return codes


def _conditions(trained: Trained) -> dict[str, Tensor]:
    """The first value of each condition."""
    first = {c.name: c.values[0] for c in trained.model.spec.conditions}
    return conditions_of(trained, first)
