"""The gates' bias held against PyTorch's: as NumPy makes it, and as conditioner.onnx does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_export.parity.reference import Clip, Reference
from wn_runtime.conditioning.conditioner import Bias, padded_frames
from wn_runtime.conditioning.global_conditions import encode
from wn_runtime.conditioning.timing import Timing
from wn_runtime.engines.onnx.session import open_session
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model.manifest import ConditionerRow
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec

TOLERANCE = 1e-5
"""max |delta bias| over max |bias|."""
CONDITIONER = "conditioner.onnx"


def compare_conditioners(package: ModelPackage, reference: Reference) -> list[ConditionerRow]:
    """A row for each way of making the bias that is here; none for a model without conditioning.

    Raises WavestepError where conditioner.onnx is missing, changed or broken.
    """
    if not package.spec.conditioning:
        return []
    rows = [_row("numpy", reference, [_numpy(package, clip) for clip in reference.clips])]
    if CONDITIONER in package.manifest.files:
        graph = package.read(CONDITIONER)
        try:
            session = open_session(graph, str(package.directory / CONDITIONER))
        except EngineUnavailable:
            return rows
        found = [_onnx(session, package.spec, clip) for clip in reference.clips]
        rows.append(_row("onnx", reference, found))
    return rows


def _row(name: str, reference: Reference, found: list[NDArray[np.float32]]) -> ConditionerRow:
    """Both are compared sample by sample: they may hold their rows for different times."""
    worst, largest = 0.0, 0.0
    for prediction, bias in zip(reference.predictions, found, strict=True):
        assert prediction.bias is not None
        count = prediction.bias_samples
        expected = _each_sample(prediction.bias, count)
        worst = max(worst, float(np.abs(_each_sample(bias, count) - expected).max()))
        largest = max(largest, float(np.abs(expected).max()))
    error = worst / largest if largest else worst
    return ConditionerRow(name, error, bool(error <= TOLERANCE))


def _each_sample(bias: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    if len(bias) == 1:
        return bias
    return np.repeat(bias, max(1, samples // len(bias)), axis=0)[:samples]


def _numpy(package: ModelPackage, clip: Clip) -> NDArray[np.float32]:
    count = len(clip.samples)
    bias: Bias = package.conditioner.whole(
        dict(clip.conditions), 1, count, clip.frames, clip.samples[:, None]
    )
    assert bias is not None
    return bias if len(bias) == 1 else np.repeat(bias, count // len(bias), axis=0)


def _onnx(session: Any, spec: ModelSpec, clip: Clip) -> NDArray[np.float32]:
    """The graph's bias of every sample of a clip, block by block, state passed on."""
    timing = Timing.of(spec.conditioning)
    block = int(session.get_modelmeta().custom_metadata_map["block"])
    inputs = {value.name: value for value in session.get_inputs()}
    names = [value.name for value in session.get_outputs()]
    batch = session.get_outputs()[0].shape[2]
    feeds: dict[str, Any] = {
        name: np.zeros(value.shape, np.float32 if value.type == "tensor(float)" else np.int32)
        for name, value in inputs.items()
    }
    for condition in spec.conditions:
        given = clip.conditions.get(condition.name)
        row = encode(condition, [given] * batch)
        if condition.kind == "categorical":
            index = -1 if given is None else int(row[0].argmax())
            feeds[condition.name] = np.full(batch, index, np.int32)
        else:
            feeds[condition.name] = row
    frames = clip.frames
    size = -(-len(clip.samples) // block) * block
    if timing.frame_channels:
        frames = padded_frames(frames, timing.frames(size))
    before = np.full((batch, block), spec.output.silence, spec.output.sample_dtype)
    parts = []
    constant = Timing.of(spec.conditioning).block == 1
    for start in range(0, 1 if constant else size, block):
        if frames is not None and "frames" in feeds:
            needed = frames[start // timing.hop :][: timing.frames(block)]
            feeds["frames"] = np.repeat(needed.transpose(1, 0, 2), batch, axis=0)
        if "history" in feeds:
            feeds["history"] = before
            known = clip.samples[start : start + block]
            before = np.full_like(before, spec.output.silence)
            before[:, : len(known)] = known
        outputs = dict(zip(names, session.run(names, feeds), strict=True))
        bias = outputs["bias"][:, :, :1]
        parts.append(bias if constant else np.repeat(bias, block // len(bias), axis=0))
        for name in feeds:
            if name.startswith("state."):
                feeds[name] = outputs[name.replace("state.", "next.", 1)]
    return np.concatenate(parts)
