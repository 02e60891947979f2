"""PyTorch as it is usually run: one `step` a sample, and the whole window for every sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wn_export.bench.measure import Generator, block_length
from wn_export.parity.expected import Clip
from wn_export.parity.teacher_forcing import condition
from wn_export.parity.trained import Trained, load
from wn_runtime.conditioning.timing import Timing
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples, inverse_temperatures
from wn_runtime.model.manifest import Manifest
from wn_runtime.synthesis.uniforms import uniforms

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
    drawn = uniforms(0, 1, block, manifest.spec.output.uniforms)  # the same for every block
    return [
        Generator(INCREMENTAL, "fp32", 1, threads, block, Incremental(trained, drawn)),
        Generator(WINDOW, "fp32", 1, threads, 1, Window(trained, drawn[:1])),
    ]


class Incremental:
    """`WaveNet.step`, its state passed on as a value. A call makes a sample for each uniform."""

    def __init__(self, trained: Trained, drawn: NDArray[np.int32]) -> None:
        self._model, self._uniforms = trained.model, drawn  # (P, 1, U)
        head = trained.model.spec.output
        self._bias = _bias(trained)
        self._params = np.empty((1, head.params), np.float32)
        self._draw = head.drawer(self._params, inverse_temperatures(1.0, 1))
        self._newest = np.full(1, head.silence, head.sample_dtype)
        self._state = self._model.initial_state(1)

    @torch.inference_mode()
    def __call__(self) -> Samples:
        """The next samples, (P, 1)."""
        samples = np.empty((len(self._uniforms), 1), self._newest.dtype)
        for drawn, sample in zip(self._uniforms, samples, strict=True):
            newest = torch.from_numpy(self._newest)
            newest = newest.long() if newest.dtype == torch.int32 else newest
            params, self._state = self._model.step(newest, self._bias, self._state)
            self._params[:] = params.numpy()
            self._draw(drawn, self._newest)
            sample[:] = self._newest
        return samples


class Window:
    """`WaveNet.network` over the receptive field, anew for each sample.

    Its first samples have silence before them where `Incremental` has zeroed delay lines: the two
    agree once a stream is longer than the receptive field.
    """

    def __init__(
        self, trained: Trained, drawn: NDArray[np.int32], history: Samples | None = None
    ) -> None:
        """history: (T,) samples before the first, at least a receptive field; None for silence."""
        spec = trained.model.spec
        head = spec.output
        self._model, self._uniforms = trained.model, drawn
        bias = _bias(trained)
        self._bias = None if bias is None else bias[:, :, None]  # (L, 1, 1, G)
        self._params = np.empty((1, head.params), np.float32)
        self._draw = head.drawer(self._params, inverse_temperatures(1.0, 1))
        # One more than the field: a prediction never sees the sample it predicts.
        window = np.full(spec.receptive_field + 1, head.silence, head.sample_dtype)
        if history is not None:
            window[:-1] = history[-spec.receptive_field :]
        self._samples = window

    @torch.inference_mode()
    def __call__(self) -> Samples:
        """The next samples, (P, 1)."""
        samples = np.empty((len(self._uniforms), 1), self._samples.dtype)
        for drawn, sample in zip(self._uniforms, samples, strict=True):
            known = torch.from_numpy(self._samples)[None]
            known = known.long() if known.dtype == torch.int32 else known
            self._params[:] = self._model.network(known, self._bias)[:, -1].numpy()
            self._draw(drawn, sample)
            self._samples[-1] = sample[0]
            self._samples = np.roll(self._samples, -1)
        return samples


def _bias(trained: Trained) -> Tensor | None:
    """(L, 1, G) under the first value of each condition; frames and history are silence."""
    spec = trained.model.spec
    clip = Clip(
        np.full(1, spec.output.silence, spec.output.sample_dtype),
        {c.name: c.values[0] for c in spec.conditions},
        np.zeros((1, 1, Timing.of(spec.conditioning).frame_channels), np.float32),
    )
    bias = condition(trained.model, clip, 0, 1)
    return None if bias is None else bias[:, :, 0]
