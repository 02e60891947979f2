"""What a reference keeps of PyTorch's outputs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.export.checkpoints import trained_of
from tests.law.numpy_engine import NumpyEngine
from tests.models import specs
from wn_export.parity import pytorch
from wn_export.parity.expected import BIAS_SAMPLES, Clip
from wn_export.parity.free_run import step_by_step
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.synthesis.uniforms import uniforms

SPEC = specs.CORNERS["two_conditions"]
CONDITIONS = {"speaker": "eve", "mood": "calm"}


def test_a_prediction_keeps_every_samples_bits_some_params_and_the_bias() -> None:
    model = trained_of(SPEC)
    samples = specs.random_samples(SPEC, 200, 1)[:, 0]
    made = pytorch.predict(model, Clip(samples, CONDITIONS), rows=11)
    assert (made.bits.shape, made.params.shape) == ((200,), (11, SPEC.output.params))
    assert (made.steps[0], made.steps[-1]) == (0, 199), "spread over the whole clip"
    kept = SPEC.output.bits(made.params, samples[made.steps])
    np.testing.assert_allclose(made.bits[made.steps], kept, rtol=1e-5)
    bias = Conditioner(SPEC, model.weights).whole(CONDITIONS, 1, 200)
    assert made.bias is not None
    assert bias is not None
    np.testing.assert_allclose(made.bias, bias, atol=1e-6)
    assert made.bias_samples == 200, "one row, which holds throughout"


def test_of_a_huge_model_a_reference_keeps_less(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained_of(dataclasses.replace(SPEC, sample_rate=100))
    clips = [Clip(specs.random_samples(SPEC, 50, 1)[:, 0], CONDITIONS)] * 2
    draft = NumpyEngine(model.model.spec, model.weights)
    monkeypatch.setattr(pytorch, "PARAMS_NUMBERS", 10 * SPEC.output.params)
    made = pytorch.make_reference(model, clips, "clips", draft)
    assert [len(each.steps) for each in made.predictions] == [5, 5]
    monkeypatch.setattr(pytorch, "PARAMS_NUMBERS", 1)
    made = pytorch.make_reference(model, clips, "clips", draft)
    assert [len(each.steps) for each in made.predictions] == [1, 1]


def test_of_the_longest_clip_the_bias_is_kept_for_as_long_as_a_context_stack_remembers() -> None:
    stack = ContextStack(4, 8, 5, 3, 2, (1, 2, 200), 16)
    spec = specs.small_spec(conditioning=(stack,), sample_rate=100)
    model, draft = trained_of(spec), NumpyEngine(spec, trained_of(spec).weights)
    clips = [Clip(specs.random_samples(spec, n, 1)[:, 0], {}) for n in (700, 1500)]
    made = pytorch.make_reference(model, clips, "clips", draft)
    kept = BIAS_SAMPLES + stack.memory
    assert [each.bias_samples for each in made.predictions] == [512, kept // 4 * 4]
    rows = made.predictions[1].bias
    assert rows is not None
    expected = Conditioner(spec, model.weights).whole(
        {}, 1, 1500, history=clips[1].samples[:, None]
    )
    assert expected is not None
    largest = np.abs(expected).max()
    np.testing.assert_allclose(rows, expected[: len(rows)], atol=1e-5 * largest)


def test_the_free_run_is_conditioned_as_a_clip_is() -> None:
    model = trained_of(dataclasses.replace(SPEC, sample_rate=100))
    clip = Clip(specs.random_samples(SPEC, 50, 1)[:, 0], CONDITIONS)
    made = pytorch.make_reference(
        model, [clip], "a clip", NumpyEngine(model.model.spec, model.weights)
    )
    assert made.free.clip.conditions == CONDITIONS
    assert (made.material, len(made.clips), len(made.predictions)) == ("a clip", 1, 1)


def test_without_clips_pytorchs_own_samples_are_the_material() -> None:
    model = trained_of(dataclasses.replace(SPEC, sample_rate=100))
    first = {"speaker": "ann", "mood": "calm"}
    truth = step_by_step(model, first, None, uniforms(0, 1, 200))
    made = pytorch.make_reference(model, [], "", NumpyEngine(model.model.spec, model.weights))
    assert made.material.startswith("free-running samples")
    np.testing.assert_array_equal(made.clips[0].samples, truth)
    np.testing.assert_array_equal(made.free.clip.samples, truth)
    assert made.free.clip.conditions == first
