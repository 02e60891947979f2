"""conditioner.onnx run in blocks, once its tensors are those of the model's spec."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_export.graphs.conditioner_signature import ConditionerSignature, states_of
from wn_export.parity.expected import Clip
from wn_runtime.conditioning.conditioner import Bias, cut, padded_frames
from wn_runtime.conditioning.global_conditions import encode
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.memory import available_bytes
from wn_runtime.engines.onnx.session import open_session, telling, tensors
from wn_runtime.errors import WavestepError
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import MOST_STREAMS

MOST_BLOCK = 2**20
"""Samples that one call may condition."""


class ConditionerGraph:
    """The graph of a model directory, bound to its spec."""

    def __init__(self, package: ModelPackage, name: str) -> None:
        """Raises EngineUnavailable without ONNX Runtime.

        Raises WavestepError where the file is missing, changed or broken, and where its inputs
        and outputs are not the spec's or need more memory than there is.
        """
        self._where = str(package.directory / name)
        self._spec, self._timing = package.spec, Timing.of(package.spec.conditioning)
        self._session = open_session(package.read(name), self._where)
        inputs, outputs = (
            tensors(values) for values in (self._session.get_inputs(), self._session.get_outputs())
        )
        self._block = self._own_block()
        shape = outputs["bias"].shape if "bias" in outputs else ()
        self._batch = shape[2] if len(shape) == 4 and isinstance(shape[2], int) else 0
        if not 1 <= self._batch <= MOST_STREAMS:
            raise self._other(f"output bias is {outputs.get('bias', 'absent')}")
        carried = {
            name: tensor
            for name, tensor in states_of(package.conditioner.start({}, 1), self._batch).items()
            if f"state.{name}" in inputs
        }
        expected = ConditionerSignature.of(self._spec, self._batch, self._block, carried)
        for own, found in ((expected.inputs, inputs), (expected.outputs, outputs)):
            for each in sorted(own.keys() | found.keys()):
                if own.get(each) != found.get(each):
                    raise self._other(
                        f"{each} is {found.get(each, 'absent')}, the model has "
                        f"{own.get(each, 'none such')}"
                    )
        available = available_bytes()
        if available is not None and 3 * expected.nbytes > available:
            raise WavestepError(
                f"{self._where} needs {3 * expected.nbytes / 2**30:.1f} GiB of memory for "
                f"{self._batch} streams, {available / 2**30:.1f} GiB are available; export the "
                "model with a smaller --batch"
            )
        self._signature, self._padding = expected, package.conditioner.padding

    def bias(self, clip: Clip, samples: int) -> Bias:
        """The bias (N, L, 1, G) of a clip's first samples, block by block, state passed on.

        Raises WavestepError where the graph fails.
        """
        block, timing, head = self._block, self._timing, self._spec.output
        size = -(-samples // block) * block
        feeds = self._begin(clip)
        frames = None
        if timing.frame_channels:
            frames = padded_frames(clip.frames, timing.frames(size), self._padding)
        before = np.full((self._batch, block), head.silence, head.sample_dtype)
        constant = timing.block == 1
        parts = []
        for start in range(0, 1 if constant else size, block):
            if frames is not None:
                needed = frames[start // timing.hop :][: timing.frames(block)]
                feeds["frames"] = np.repeat(needed.transpose(1, 0, 2), self._batch, axis=0)
            if timing.uses_history:
                feeds["history"] = before
                known = clip.samples[start : start + block]
                before = np.full_like(before, head.silence)
                before[:, : len(known)] = known
            outputs = self._run(feeds)
            parts.append(outputs["bias"][:, :, :1])
            for name in feeds:
                if name.startswith("state."):
                    feeds[name] = outputs[name.replace("state.", "next.", 1)]
        return cut(np.concatenate(parts), size, samples)

    def _begin(self, clip: Clip) -> dict[str, NDArray[Any]]:
        """Every input at a stream's start, the clip's conditions among them."""
        inputs = self._signature.inputs
        feeds = {name: np.zeros(tensor.shape, tensor.dtype) for name, tensor in inputs.items()}
        for condition in self._spec.conditions:
            given = clip.conditions.get(condition.name)
            row = encode(condition, [given])
            if condition.kind == "categorical":
                feeds[condition.name][:] = -1 if given is None else int(row[0].argmax())
            else:
                feeds[condition.name][:] = row
        return feeds

    def _run(self, feeds: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        expected = self._signature.outputs
        with telling(self._where):
            found = dict(zip(expected, self._session.run(list(expected), feeds), strict=True))
        for name, tensor in expected.items():  # what a graph declares is not what it must give
            if found[name].shape != tensor.shape or found[name].dtype != tensor.dtype:
                raise self._other(f"it gives {name} as {found[name].shape}, not {tensor}")
        return found

    def _own_block(self) -> int:
        """The samples of a call, as the graph's metadata has them."""
        with telling(self._where):
            text = self._session.get_modelmeta().custom_metadata_map.get("block", "")
        block = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
        least, most = self._timing.block, MOST_BLOCK
        if least == 1 or self._timing.uses_history:
            most = least
        if block % least or not least <= block <= most:
            raise self._other(f"its block is {text[:20]!r}, where {least} to {most} samples can be")
        return block

    def _other(self, fault: str) -> WavestepError:
        return WavestepError(f"{self._where} is not this model's: {fault}; export the model again")
