"""The step graph's tensors follow from spec, precision and batch; another graph is told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.models.specs import CORNERS
from wn_runtime.engines.step_signature import StepSignature, Tensor
from wn_runtime.errors import WavestepError

SPEC = CORNERS["uneven"]  # L = 3, k = 3, k0 = 2, R = 7, G = 10, A = 11
FP16 = StepSignature.of(SPEC, "fp16", 4)


def test_state_and_activations_have_the_precisions_type_and_params_are_float32() -> None:
    assert {name: str(tensor) for name, tensor in FP16.inputs.items()} == {
        "sample": "int32 (4, 2)",
        "past": "float16 (3, 2, 4, 7)",
        "bias": "float16 (3, 4, 10)",
    }
    assert {name: str(tensor) for name, tensor in FP16.outputs.items()} == {
        "params": "float32 (4, 11)",
        "present": "float16 (3, 4, 7)",
    }
    assert StepSignature.of(SPEC, "fp32", 4).inputs["past"].dtype == np.float32


def test_a_model_without_conditioning_has_no_bias() -> None:
    assert list(StepSignature.of(CORNERS["plain"], "fp32", 1).inputs) == ["sample", "past"]


def test_all_tensors_come_inputs_first() -> None:
    names = [name for name, _ in FP16.tensors()]
    assert names == ["sample", "past", "bias", "params", "present"]
    assert dict(FP16.tensors())["past"].nbytes == 3 * 2 * 4 * 7 * 2


def test_the_same_tensors_are_accepted_in_any_order() -> None:
    FP16.check(dict(reversed(FP16.inputs.items())), FP16.outputs, "step.onnx")


def other(name: str, tensor: Tensor | None) -> StepSignature:
    """FP16 with one tensor another, more or, for None, less."""
    side = "outputs" if name in FP16.outputs else "inputs"
    tensors = dict(getattr(FP16, side))
    if tensor is None:
        del tensors[name]
    else:
        tensors[name] = tensor
    return replace(FP16, **{side: tensors})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            other("past", Tensor((3, 2, 4, 7), np.dtype(np.float32))),
            r"input past is float32 \(3, 2, 4, 7\), this model has float16 \(3, 2, 4",
        ),
        (
            other("params", Tensor((4, 12), np.dtype(np.float32))),
            r"output params is float32 \(4, 12\), .* has float32 \(4, 11\)",
        ),
        (other("bias", None), r"input bias is absent, .* has float16 \(3, 4, 10\)"),
        (
            other("uniforms", Tensor((4, 1), np.dtype(np.int32))),
            r"input uniforms is int32 \(4, 1\), .* has no such input",
        ),
    ],
)
def test_another_graph_is_told_by_its_first_tensor_that_differs(
    changed: StepSignature, message: str
) -> None:
    with pytest.raises(WavestepError, match=f"^voice/step.onnx: {message}"):
        FP16.check(changed.inputs, changed.outputs, "voice/step.onnx")
