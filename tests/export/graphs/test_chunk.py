"""K samples in one call are the K samples of K calls."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pytest

from tests import oracle
from tests.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from wn_export.graphs.chunk import MOST_STEPS, build_chunk_graph
from wn_export.graphs.step import build_step_graph
from wn_runtime.errors import WavestepError
from wn_runtime.synthesis.sampling import CategoricalSampler, Uniforms

FLOAT = {"fp32": np.float32, "fp16": np.float16}


def session(model):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


class Chunks:
    """A host of a chunk graph, with the whole history in place of delay lines."""

    def __init__(self, spec, weights, steps, precision="fp32", streams=2, unread=0.0):
        self.spec, self.steps, self.streams, self.unread = spec, steps, streams, unread
        self.type = FLOAT[precision]
        self.session = session(build_chunk_graph(spec, weights, steps, precision, streams))
        self.reset()

    def reset(self):
        self.heard = [np.full(self.streams, self.spec.silence, np.int32)] * self.spec.input_kernel
        self.inputs = []  # [t]: (L, B, R)

    def call(self, bias, uniforms, forced, temperature=1.0):
        spec, steps, now = self.spec, self.steps, len(self.inputs)
        shape = (spec.layers, spec.kernel - 1, steps, self.streams, spec.residual)
        past = np.full(shape, self.unread, self.type)
        for layer, dilation in enumerate(spec.dilations):
            for j in range(1, spec.kernel):
                for i in range(min(steps, j * dilation)):
                    t = now + i - j * dilation
                    past[layer, j - 1, i] = self.inputs[t][layer] if t >= 0 else 0
        feeds = {
            "sample": np.stack(self.heard[-spec.input_kernel :], axis=1),
            "past": past,
            "uniforms": uniforms,
            "forced": forced,
            "inverse_temperature": np.array(
                [0 if temperature == 0 else 1 / temperature], np.float32
            ),
        }
        if bias is not None:
            full = np.broadcast_to(bias, (steps, *bias.shape[1:]))
            feeds["bias"] = full.astype(self.type)
        samples, params, present = self.session.run(["samples", "params", "present"], feeds)
        self.heard += list(samples)
        self.inputs += list(present.transpose(1, 0, 2, 3))
        return samples, params


def free(steps, streams):
    return np.full((steps, streams), -1, np.int32)


@pytest.mark.parametrize("steps", [1, 8])
@pytest.mark.parametrize("corner", CORNERS)
def test_teacher_forced_it_is_the_model(corner, steps):
    spec, calls = CORNERS[corner], 24 // steps
    weights, streams = random_weights(spec), 2
    chunks = Chunks(spec, weights, steps, unread=np.nan)  # what is not to be read is not
    samples = random_samples(spec, calls * steps, streams)
    bias = random_bias(spec, streams)
    unused = np.zeros((steps, streams), np.float32)
    pieces = samples.reshape(calls, steps, streams)
    answers = [chunks.call(bias, unused, piece) for piece in pieces]
    assert np.array_equal(np.concatenate([drawn for drawn, _ in answers]), samples)
    params = np.concatenate([found for _, found in answers])
    wanted = oracle.score(spec, weights, samples, bias)
    assert np.abs(params - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("seed", range(6))
def test_teacher_forced_it_is_the_model_whatever_the_shape(seed):
    spec, steps, streams = random_spec(seed), 2 + seed, 1 + seed % 3
    weights = random_weights(spec, seed)
    chunks = Chunks(spec, weights, steps, streams=streams, unread=np.nan)
    samples, bias = random_samples(spec, 3 * steps, streams), random_bias(spec, streams)
    unused = np.zeros((steps, streams), np.float32)
    params = [chunks.call(bias, unused, piece)[1] for piece in samples.reshape(3, steps, streams)]
    wanted = oracle.score(spec, weights, samples, bias)
    assert np.abs(np.concatenate(params) - wanted).max() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("temperature", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("steps", [1, 8])
def test_it_draws_as_the_sampler_does_from_the_same_uniforms(steps, temperature, precision):
    spec, streams, calls = CORNERS["kernel_3"], 2, 16
    chunks = Chunks(spec, random_weights(spec), steps, precision, streams)
    bias, uniforms = random_bias(spec, streams), Uniforms(1, streams).draw(calls * steps)
    sampler = CategoricalSampler(streams, spec.classes, temperature)
    for piece in uniforms.reshape(calls, steps, streams):
        samples, params = chunks.call(bias, piece, free(steps, streams), temperature)
        expected = np.empty_like(samples)
        for step in range(steps):
            sampler(params[step], piece[step], expected[step])
        assert np.array_equal(samples, expected)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_eight_samples_a_call_are_eight_calls_of_the_step_graph(precision):
    """Parity with step.onnx in the same runtime: same logits to rounding, same samples."""
    spec, streams, steps = CORNERS["uneven"], 2, 8
    weights = random_weights(spec)
    chunks = Chunks(spec, weights, steps, precision, streams)
    step = session(build_step_graph(spec, weights, precision, streams))
    bias, uniforms = random_bias(spec, streams), Uniforms(2, streams).draw(48)
    heard = [np.full(streams, spec.silence, np.int32)] * spec.input_kernel
    inputs: list = []
    shape = (spec.layers, spec.kernel - 1, streams, spec.residual)
    sampler = CategoricalSampler(streams, spec.classes, 1.0)
    for piece in uniforms.reshape(6, steps, streams):
        drawn, logits = chunks.call(bias, piece, free(steps, streams))
        for i in range(steps):
            past = np.zeros(shape, FLOAT[precision])
            for layer, dilation in enumerate(spec.dilations):
                for j in range(1, spec.kernel):
                    if len(inputs) >= j * dilation:
                        past[layer, j - 1] = inputs[-j * dilation][layer]
            feeds = {"sample": np.stack(heard[-spec.input_kernel :], axis=1), "past": past}
            if bias is not None:
                feeds["bias"] = bias[0].astype(FLOAT[precision])
            params, present = step.run(["params", "present"], feeds)
            assert np.allclose(logits[i], params, atol=1e-5 if precision == "fp32" else 2e-2)
            sample = np.empty(streams, np.int32)
            sampler(params, piece[i], sample)
            if precision == "fp32":
                assert np.array_equal(drawn[i], sample)
            heard.append(drawn[i])
            inputs.append(present)


def test_a_prime_number_of_classes_is_drawn_from_too():
    spec, streams = CORNERS["one_layer"], 3
    assert spec.classes == 7
    chunks = Chunks(spec, random_weights(spec), 4, streams=streams)
    uniforms = np.tile(np.float32([0, 0.5, 1]), (4, 1))  # 1 is past all: the last class
    samples, _ = chunks.call(None, uniforms, free(4, streams))
    assert (samples[:, 0] == 0).all()
    assert (samples[:, 2] == 6).all()


def test_weights_are_there_once_whatever_k_is():
    spec = CORNERS["uneven"]
    weights = random_weights(spec)
    one, many = (build_chunk_graph(spec, weights, k).graph.initializer for k in (16, 32))

    def size(tensors):
        return sum(np.prod(t.dims, dtype=int) for t in tensors if t.name.endswith(".weight"))

    assert size(one) == size(many) > 0


@pytest.mark.parametrize("steps", [0, -3, MOST_STEPS + 1])
def test_a_number_of_steps_out_of_range_is_said(steps):
    spec = CORNERS["plain"]
    with pytest.raises(WavestepError, match=f"steps per call is {steps}; it must be 1 to 256"):
        build_chunk_graph(spec, random_weights(spec), steps)
