"""The step kernel: compiles for every GPU it is meant for, and on the CPU draws as NumPy does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cuda_on_cpu import device as cuda
from tests.specs import PLAIN, random_spec
from wn_runtime.engines.device_loop.device import STANDARD, CudaDevice
from wn_runtime.engines.device_loop.memory import CONTROL, StepMemory, bytes_needed, kernel_source
from wn_runtime.synthesis.sampling import CategoricalSampler

ARCHITECTURES = (75, 80, 87, 89, 90, 110, 120)


@pytest.fixture(scope="module")
def nvrtc():
    core = pytest.importorskip("cuda.core", reason="cuda-core is not installed", exc_type=Exception)
    pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")
    options = core.ProgramOptions(arch="sm_80", std=STANDARD)
    try:
        core.Program('extern "C" __global__ void k() {}', "c++", options).compile("cubin")
    except Exception as error:
        pytest.skip(f"NVRTC is not installed: {str(error).splitlines()[0]}")
    return core


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_compiles_for(nvrtc, architecture):
    options = nvrtc.ProgramOptions(arch=f"sm_{architecture}", std=STANDARD)
    compiled = nvrtc.Program(kernel_source(), "c++", options).compile("cubin")
    assert compiled.code[:4] == b"\x7fELF"
    for kernel in ("wn_prepare_fp16", "wn_prepare_fp32", "wn_advance_fp16", "wn_advance_fp32"):
        assert kernel.encode() in compiled.code


@pytest.fixture
def gpu(monkeypatch):
    return cuda.install(monkeypatch, cuda.Gpu())


def block(memory, steps, uniforms=None, forced=None, bias=None, temperature=1.0):
    memory.set_block(bias, uniforms, forced)
    control = np.zeros(1, CONTROL)
    control["total"], control["forced"] = steps, forced is not None
    control["bias_rows"] = 0 if bias is None else len(bias)
    control["inverse_temperature"] = 0 if temperature == 0 else 1 / temperature
    memory.prepare(0, control)


@pytest.mark.parametrize("temperature", [1.0, 0.6, 0.0])
@pytest.mark.parametrize("classes", [2, 7, 32, 33, 256, 300])
def test_it_draws_what_the_numpy_sampler_draws(gpu, classes, temperature):
    spec = random_spec(0).__class__(8000, (1,), residual=1, gate=2, skip=1, head=1, classes=classes)
    streams, steps = 3, 12
    rng = np.random.default_rng(classes)
    uniforms = rng.random((steps, streams), np.float32)
    device = CudaDevice()
    memory = StepMemory(device, spec, streams, "fp32")
    block(memory, steps, uniforms, temperature=temperature)
    sampler, expected = CategoricalSampler(streams, classes, temperature), []
    for step in range(steps):
        logits = (3 * rng.standard_normal((streams, classes))).astype(np.float32)
        if step == 3:
            logits[:] = logits[:, :1]  # all alike: argmax is the lowest class
        device.upload(memory.sets[step & 1]["params"], logits)
        memory.advance(step & 1)
        row = np.empty(streams, np.int32)
        sampler(logits, uniforms[step], row)
        expected.append(row)
    assert np.array_equal(device.download(memory.classes, steps), np.array(expected))


def test_uniforms_at_the_very_ends_draw_the_first_and_the_last_class(gpu):
    device = CudaDevice()
    memory = StepMemory(device, PLAIN, 1, "fp32")
    uniforms = np.array([[0.0], [1.0]], np.float32)  # 1 is where rounding could bring u * total
    block(memory, 2, uniforms)
    for step in range(2):
        device.upload(memory.sets[step]["params"], np.zeros((1, PLAIN.classes), np.float32))
        memory.advance(step)
    assert device.download(memory.classes, 2).ravel().tolist() == [0, PLAIN.classes - 1]


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("seed", range(6))
def test_its_rings_hand_out_the_inputs_of_earlier_steps(gpu, seed, precision):
    spec, streams, steps = random_spec(seed), 2, 40
    element = np.float32 if precision == "fp32" else np.float16
    rng = np.random.default_rng(seed)
    device = CudaDevice()
    memory = StepMemory(device, spec, streams, precision)
    bias = None
    if spec.conditions:
        shape = (steps, spec.layers, streams, spec.gate)
        bias = rng.standard_normal(shape).astype(np.float32)
    block(memory, steps, forced=np.zeros((steps, streams), np.int32), bias=bias)
    longest = spec.kernel * max(spec.dilations)
    heard = np.zeros((longest + steps, spec.layers, streams, spec.residual), element)
    for step in range(steps):
        own = memory.sets[step & 1]
        past = device.download(own["past"])
        for layer, dilation in enumerate(spec.dilations):
            for tap in range(1, spec.kernel):
                earlier = heard[longest + step - tap * dilation, layer]
                assert np.array_equal(past[layer, tap - 1], earlier)
        if bias is not None:
            assert np.array_equal(device.download(own["bias"]), bias[step].astype(element))
        present = rng.standard_normal((spec.layers, streams, spec.residual)).astype(element)
        device.upload(own["present"], present)
        memory.advance(step & 1)
        heard[longest + step] = present


def test_a_state_is_never_both_input_and_output_of_a_call(gpu):
    memory = StepMemory(CudaDevice(), PLAIN, 2, "fp16")
    one, other = ({array.address for array in own.values()} for own in memory.sets)
    assert len(one) == len(other) == len(memory.sets[0])
    assert one.isdisjoint(other)


@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_of_its_memory_is_close(gpu, seed):
    spec = random_spec(seed)
    StepMemory(CudaDevice(), spec, 2, "fp16", 1)
    assert 0.8 < bytes_needed(spec, 2, "fp16") / gpu.used <= 1


def test_a_kernel_without_a_barrier_it_needs_is_caught_here(gpu, monkeypatch):
    """The stand-in can fail: threads run in an order that a missing barrier does not survive."""
    line = "    const float threshold"
    broken = kernel_source().replace(f"    __syncthreads();\n{line}", line)
    assert broken != kernel_source()
    monkeypatch.setattr("wn_runtime.engines.device_loop.memory.kernel_source", lambda: broken)
    with pytest.raises((AssertionError, cuda.Misuse)):
        test_it_draws_what_the_numpy_sampler_draws(gpu, 256, 1.0)
