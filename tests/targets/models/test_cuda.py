"""The cuda engine's predictions are its own cost model's, and say what the product promises."""

from __future__ import annotations

import dataclasses

import pytest

from wn_runtime.engines.cuda import kind as cuda_kind
from wn_runtime.engines.cuda.choose import cost_of
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.native import costs as native_costs
from wn_runtime.engines.native import kind as native_kind
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.model.work import Work
from wn_targets.devices.catalogue import TARGETS, find
from wn_targets.devices.target import Gpu
from wn_targets.models.cuda import cuda, cuda_gpu
from wn_targets.models.fit import HOST, MOST_COMPARED, crossing, fit, gpu_from, hosted
from wn_targets.models.registry import runs_cuda
from wn_targets.presets import PRESETS

PAPER = PRESETS["paper"]
STREAMS = (1, 2, 4, 6, 8, 16, 64)


def gpu_of(name: str) -> Gpu:
    gpu = find(name).gpu
    assert gpu is not None
    return gpu


def test_it_runs_where_cuda_12_and_tensor_cores_for_bytes_are() -> None:
    runs = {target.name for target in TARGETS.values() if runs_cuda(target)}
    assert {"orin-nano-8gb", "orin-nano-4gb", "thor-t5000", "t4", "h200", "rtx-5090"} <= runs
    assert not runs & {"nano", "tx2", "xavier-nx", "agx-xavier", "v100", "cortex-a76"}


def test_the_promise_of_the_smallest_orin_eight_streams_in_real_time() -> None:
    found = fit(PAPER, find("orin-nano-8gb"), streams=8)
    assert found.chosen is not None
    assert (found.chosen.engine, found.chosen.precision) == ("cuda", "int8")
    assert found.real_time_factor(found.chosen) >= 1


@pytest.mark.parametrize("name", [t.name for t in TARGETS.values() if runs_cuda(t)])
def test_every_gpu_that_runs_it_is_predicted_real_time_for_a_stream(name: str) -> None:
    found = fit(PAPER, find(name))
    on_gpu = next(one for one in found.candidates if one.engine == "cuda")
    assert on_gpu.fits
    assert found.real_time_factor(on_gpu) >= 1


def test_an_h200_is_predicted_two_thousand_streams() -> None:
    found = fit(PAPER, find("h200"), streams=2000)
    assert found.chosen is not None
    assert found.real_time_factor(found.chosen) >= 1


def test_a_prediction_is_that_of_the_schedule_the_engine_takes() -> None:
    target, gpu = find("orin-nano-8gb"), gpu_of("orin-nano-8gb")
    one = cuda(target, gpu, PAPER, "int8", 8)
    from wn_runtime.engines.cuda.choose import choose

    chosen = choose(PAPER, "int8", 8, cuda_gpu(target, gpu), {})
    assert one.how == f"{chosen.kind} {chosen.schedule.source}"
    cycles = cost_of(chosen.schedule, 8, cuda_gpu(target, gpu)).cycles
    assert one.us_per_step == pytest.approx(cycles / gpu.clock_mhz)
    assert one.limited_by == chosen.cost.limit


def test_streams_take_memory_and_too_many_do_not_fit() -> None:
    target, gpu = find("orin-nano-8gb"), gpu_of("orin-nano-8gb")
    few, many = (cuda(target, gpu, PAPER, "int8", streams) for streams in (1, 2**15))
    assert few.fits
    assert many.memory_mb > few.memory_mb
    assert not many.fits


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["orin-nano-8gb", "agx-orin-64gb", "thor-t5000", "t4"])
def test_the_crossing_is_where_the_choice_changes(name: str, preset: str) -> None:
    spec, target = PRESETS[preset], hosted(find(name))

    def on_gpu(streams: int) -> bool:
        chosen = fit(spec, target, streams).chosen
        return chosen is not None and chosen.engine in ("cuda", "tensorrt")

    found = gpu_from(spec, target)
    assert found is not None
    assert all(on_gpu(streams) for streams in (found, found + 1, 2 * found, MOST_COMPARED))
    assert found == 1 or not on_gpu(found - 1)
    words = crossing(spec, find(name))
    where = name if find(name).cpu is not None else f"{name} in a host as {HOST}"
    assert words.startswith(f"{where}: the GPU ")
    assert ("any number" if found == 1 else f"from {found} streams on") in words


def test_a_target_without_a_gpu_or_with_one_too_old_keeps_to_its_cpu() -> None:
    for name in ("cortex-a76", "nano", "xavier-nx"):
        assert gpu_from(PAPER, find(name)) is None
        assert crossing(PAPER, find(name)) == f"{name}: the CPU for any number of streams"


@pytest.mark.parametrize("preset", PRESETS)
def test_wn_run_on_an_orin_nano_chooses_what_wn_targets_recommends(
    preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all its cores; but where the two are within two fifths of each other."""
    arm = native_costs.OrdinaryCpu("neon-dot", 1700, 24, 3.0)
    monkeypatch.setattr(native_kind, "ORDINARY", arm)
    monkeypatch.setattr(
        native_kind, "step_cycles", lambda work, p: native_costs.step_cycles(work, p, arm)
    )
    monkeypatch.setattr(cuda_kind, "ORDINARY", cuda_kind.ORIN_NANO)
    spec, compared = PRESETS[preset], 0
    for streams in STREAMS:
        us = {
            kind.name: kind.expected_us(Work.of(spec), "int8", streams, 6)
            for kind in (NATIVE, CUDA)
        }
        found = fit(spec, find("orin-nano-8gb"), streams)
        predicted = {c.engine: c.us_per_step for c in found.candidates if c.precision == "int8"}
        assert found.chosen is not None
        if max(predicted.values()) < 1.4 * min(predicted.values()):
            continue
        assert min(us, key=lambda name: us[name]) == found.chosen.engine, (streams, us, predicted)
        compared += 1
    assert compared >= len(STREAMS) // 2


def test_a_cache_of_unknown_size_is_taken_as_none() -> None:
    target = find("orin-nano-8gb")
    gpu = dataclasses.replace(gpu_of("orin-nano-8gb"), l2_kib=None, sources={})
    assert cuda(target, gpu, PAPER, "int8", 64).us_per_step >= (
        cuda(target, gpu_of("orin-nano-8gb"), PAPER, "int8", 64).us_per_step
    )
