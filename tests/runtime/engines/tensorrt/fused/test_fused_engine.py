"""A fused plan runs as the model, and as the cuda engine sample for sample.

GPU, TensorRT and CUDA are stand-ins that compute for real (tests/cuda_on_cpu); the kernel is the
one that runs on a GPU.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cuda_on_cpu.fused_dir import PLAN, write_fused
from tests.cuda_on_cpu.gpu import Gpu
from tests.law.engines import verify_engine_contract
from tests.models.specs import CORNERS, random_bias, random_samples, random_uniforms, random_weights
from wn_runtime.engines.choice import open_engine, open_in
from wn_runtime.engines.cuda.choose import VARIABLE
from wn_runtime.engines.engine import of_streams
from wn_runtime.engines.tensorrt.fused.record import CHUNK
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import open_package

UNEVEN = CORNERS["uneven"]


@pytest.mark.parametrize(("corner", "batch"), [("uneven", 3), ("input_kernel_2", 1)])
def test_it_obeys_the_contract(
    tmp_path: Path, tensorrt: Any, gpu: Gpu, corner: str, batch: int
) -> None:
    spec = CORNERS[corner]
    engine = open_engine(write_fused(tmp_path, spec, tensorrt, batch) / PLAN, batch=batch)
    assert (engine.name, engine.precision) == ("tensorrt", "fp16")
    assert engine.note.startswith("Test GPU, TensorRT 10.3.0, a block")
    verify_engine_contract(engine, random_weights(spec), tolerance=2e-2, steps=16)
    engine.close()
    del engine
    assert not gpu.blocks


def test_it_is_the_cuda_engine_sample_for_sample(
    tmp_path: Path, tensorrt: Any, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over calls that end inside a row of bias, a last one that is not full, and a second block.

    In clusters of blocks; alone they are in the other tests.
    """
    gpu.arch = "90"
    monkeypatch.setenv(VARIABLE, "clustered:2")
    spec, steps = CORNERS["one_condition"], 2 * CHUNK - 12
    directory = write_fused(tmp_path, spec, tensorrt, 3)
    record = manifests.read(directory).artifacts[-1].built
    assert record["fused"]["schedule"] == "clustered:2"
    drawn_from = random_uniforms(2 * steps, 3, 1)
    samples = random_samples(spec, steps, 3)
    made = []
    for name in ("tensorrt", "cuda"):
        engine = open_engine(directory, name, "fp16", batch=3)
        parts: list[np.ndarray[Any, Any]] = []
        for rows in (4, 1, steps):
            bias = random_bias(spec, 3, rows, seed=rows)
            parts.append(engine.generate(bias, drawn_from[:steps], [1.0, 0.5, 0.0]))
        parts.append(engine.generate(bias, drawn_from[steps:], 0.8))
        parts.append(engine.score(samples, random_bias(spec, 3, 4)))
        made.append([*parts, *engine.snapshot().values()])
        engine.close()
    for plan, cuda in zip(*made, strict=True):
        assert np.array_equal(plan, cuda)
    assert len(np.unique(made[0][0])) > 5


def test_streams_that_do_not_fill_the_plan_run_all_the_same(tmp_path: Path, tensorrt: Any) -> None:
    directory = write_fused(tmp_path, UNEVEN, tensorrt, 3)
    bias, drawn_from = random_bias(UNEVEN, 3), random_uniforms(20, 3)
    made = []
    for n in (3, 2):
        engine = open_engine(directory / PLAN, batch=n)
        made.append(engine.generate(of_streams(bias, slice(n)), drawn_from[:, :n]))
    assert np.array_equal(made[0][:, :2], made[1])


def test_a_block_longer_than_its_memory_goes_in_pieces(
    tmp_path: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_fused(tmp_path, UNEVEN, tensorrt, 3)
    bias, drawn_from = random_bias(UNEVEN, 3, 6), random_uniforms(48, 3)
    whole = open_engine(directory / PLAN, batch=3)
    for name, value in {"_MOST_STEPS": 7, "_PIECE_BYTES": 2000}.items():
        monkeypatch.setattr(f"wn_runtime.engines.cuda.memory.{name}", value)
    pieces = open_engine(directory / PLAN, batch=3)
    before = tensorrt.enqueued
    found, expected = (each.generate(bias, drawn_from) for each in (pieces, whole))
    assert np.array_equal(found, expected)
    assert tensorrt.enqueued - before >= 48 / 7 + 1
    assert np.array_equal(pieces.score(expected, bias), whole.score(expected, bias))


def test_engines_of_one_package_share_one_loaded_plan_and_no_state(
    tmp_path: Path, tensorrt: Any, gpu: Gpu
) -> None:
    """And are used in other threads than they were opened in: CUDA has a context of each."""
    package, _ = open_package(write_fused(tmp_path, UNEVEN, tensorrt, 3))
    one, other = (open_in(package, None, "tensorrt", batch=3) for _ in range(2))
    assert tensorrt.loaded == 2, "once by wn-export, once here"
    bias, drawn_from = random_bias(UNEVEN, 3), random_uniforms(20, 3)
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(one.generate, bias, drawn_from[:10]).result()
        assert np.array_equal(other.generate(bias, drawn_from[:10]), first)
        second = thread.submit(one.generate, bias, drawn_from[10:]).result()
        thread.submit(one.close).result()
    assert np.array_equal(other.generate(bias, drawn_from[10:]), second)
    other.close()
    del one, other, package
    assert not gpu.blocks
