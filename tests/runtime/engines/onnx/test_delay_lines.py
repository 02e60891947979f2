"""The conveyor gives every layer its inputs of j*d steps ago, for as long as one likes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from tests.models.specs import CORNERS, random_spec
from wn_runtime.engines.onnx import delay_lines
from wn_runtime.engines.onnx.delay_lines import DelayLines
from wn_runtime.model.spec import ModelSpec

SPECS = [*CORNERS.values(), *(random_spec(seed) for seed in range(4))]
Rows = NDArray[np.float32]


def rows(spec: ModelSpec, steps: int, streams: int) -> Rows:
    """Inputs of all layers over time, (T, L, B, R)."""
    shape = (steps, spec.layers, streams, spec.residual_channels)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def bound(
    spec: ModelSpec, streams: int, dtype: DTypeLike = np.float32
) -> tuple[DelayLines, Rows, Rows]:
    """Delay lines, and the memory past and present of their reads and writes."""
    lines, channels = DelayLines(spec, streams, dtype), spec.residual_channels
    past = np.full((spec.layers, spec.kernel - 1, streams, channels), np.nan, dtype)
    present = np.zeros((spec.layers, streams, channels), dtype)
    lines.bind(past, present)
    return lines, past, present


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("slack", [1, 1024])
def test_taps_are_the_inputs_of_jd_steps_ago(
    monkeypatch: pytest.MonkeyPatch, spec: ModelSpec, slack: int
) -> None:
    monkeypatch.setattr(delay_lines, "_LEAST_SLACK", slack)  # 1: winds back many times
    inputs = rows(spec, 150, 2)
    lines, past, present = bound(spec, 2)
    for t, row in enumerate(inputs):
        lines.read()
        for layer, dilation in enumerate(spec.dilations):
            for j in range(1, spec.kernel):
                before = t - j * dilation
                wanted = inputs[before, layer] if before >= 0 else np.zeros_like(row[0])
                assert np.array_equal(past[layer, j - 1], wanted)
        present[...] = row
        lines.write()


def test_a_snapshot_is_layer_by_layer_oldest_first() -> None:
    spec = CORNERS["uneven"]
    inputs = rows(spec, 40, 2)
    lines, _, present = bound(spec, 2)
    for row in inputs:
        lines.read()
        present[...] = row
        lines.write()
    lengths = [(spec.kernel - 1) * d for d in spec.dilations]
    wanted = [inputs[len(inputs) - n :, layer] for layer, n in enumerate(lengths)]
    assert np.array_equal(lines.snapshot(), np.concatenate(wanted))


def test_half_precision_lines_move_whole_rows() -> None:
    lines, past, present = bound(CORNERS["one_layer"], 3, np.float16)
    present[...] = np.arange(15).reshape(1, 3, 5)
    for _ in range(2):
        lines.write()
    lines.read()
    assert np.array_equal(past[0, 0], present[0])
    assert lines.snapshot().dtype == np.float32
