"""Predictions obey the physics they are made of, and never contradict what was published."""

from __future__ import annotations

import dataclasses

import pytest

from wn_runtime.engines.memory import stream_bytes
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.work import Work
from wn_targets.constraints import constraints
from wn_targets.devices.catalogue import TARGETS, find
from wn_targets.devices.gpu import GPUS
from wn_targets.devices.jetson import JETSONS
from wn_targets.devices.target import Cpu
from wn_targets.models.cpu import bandwidth, native
from wn_targets.models.fit import fit
from wn_targets.models.prediction import Prediction
from wn_targets.models.registry import runs_plans
from wn_targets.presets import PRESETS

PAPER = PRESETS["paper"]


def cpu_of(name: str) -> Cpu:
    cpu = find(name).cpu
    assert cpu is not None
    return cpu


def chosen(spec: ModelSpec, name: str, streams: int = 1) -> Prediction:
    """What is chosen on a target."""
    found = fit(spec, find(name), streams).chosen
    assert found is not None
    return found


def test_presets_are_those_of_the_trainer() -> None:
    config = pytest.importorskip("wn_train.config")
    assert PRESETS.keys() == config.PRESETS.keys()
    for name, spec in PRESETS.items():
        model = config.PRESETS[name]
        assert spec.dilations == model.all_dilations
        assert spec.residual_channels == model.residual_channels
        assert spec.gate_channels == (model.gate_channels or 2 * model.residual_channels)
        assert spec.skip_channels == model.skip_channels
        assert spec.head_channels == model.head_channels


@pytest.mark.parametrize(
    ("mib", "published"), [(0.5, 165), (1.0, 165), (1.25, 133), (2.5, 46), (5.0, 27)]
)
def test_the_cache_curve_is_near_the_bandwidths_of_a_plain_read_loop(
    mib: float, published: float
) -> None:
    rate, _ = bandwidth(cpu_of("xeon-2.6"), mib * 2**20)
    assert rate / 1e3 == pytest.approx(published, rel=0.26)


@pytest.mark.parametrize("name", [t.name for t in TARGETS.values() if t.cpu])
def test_bandwidth_never_rises_with_size(name: str) -> None:
    rates = [bandwidth(cpu_of(name), 2.0**i)[0] for i in range(10, 32)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("name", TARGETS)
def test_a_larger_model_is_never_predicted_faster(name: str) -> None:
    speeds = []
    for preset in ("tiny", "small", "medium", "paper"):
        found = fit(PRESETS[preset], find(name))
        speeds.append(found.candidates[0].samples_per_second)
    assert speeds == sorted(speeds, reverse=True)


def test_the_term_that_limits_is_named() -> None:
    for target in (*GPUS, *JETSONS):
        plans = [c for c in fit(PAPER, target).candidates if c.engine == "tensorrt"]
        assert all(c.limited_by == "launch overhead" for c in plans), target.name
    work, cpu = Work.of(PAPER), cpu_of("nano")
    one = {precision: native(cpu, work, precision) for precision in ("fp32", "int8")}
    assert one["fp32"].limited_by == "DRAM bandwidth"  # 5 MB of weights, 2 MB of cache
    assert one["int8"].limited_by == "arithmetic"  # a core without a dot product of bytes


def test_the_chosen_engine_is_the_fastest_that_fits() -> None:
    found = fit(PAPER, find("orin-nx-16gb"))
    assert {c.engine for c in found.candidates} == {"native", "cuda", "onnx", "tensorrt"}
    assert found.chosen is found.candidates[0]
    assert found.chosen.samples_per_second == max(c.samples_per_second for c in found.candidates)


def test_an_engine_without_memory_is_not_chosen_however_fast() -> None:
    small = dataclasses.replace(find("orin-nano-4gb"), memory_gb=2.0)
    found = fit(PAPER, small, streams=1)
    too_large = [c.engine for c in found.candidates if not c.fits]
    assert too_large == ["tensorrt"]
    assert found.chosen is not None
    assert found.chosen.engine != "tensorrt"
    none = fit(PAPER, dataclasses.replace(find("nano"), memory_gb=1.0))
    assert none.chosen is None


def test_streams_beyond_the_cores_take_turns() -> None:
    one, four, five = (chosen(PAPER, "cortex-a76", streams) for streams in (1, 4, 5))
    assert five.samples_per_second == pytest.approx(four.samples_per_second / 2)
    assert one.samples_per_second > four.samples_per_second  # it has more than one core


def test_every_stream_has_memory_of_its_own() -> None:
    def of_streams(name: str, streams: int) -> list[Prediction]:
        found = fit(PAPER, find(name), streams).candidates
        return [c for c in found if c.engine in ("native", "onnx")]

    for few, many in zip(of_streams("nano", 1), of_streams("nano", 65536), strict=True):
        more = (many.memory_mb - few.memory_mb) * 1e6
        assert more == pytest.approx(65535 * stream_bytes(PAPER))
        assert few.fits
        assert not many.fits
    assert all(c.fits for c in of_streams("cortex-a76", 65536)), "whose memory nobody knows"


def test_one_stream_has_as_many_threads_as_are_worth_it() -> None:
    work, cpu = Work.of(PAPER), cpu_of("orin-nano-8gb")
    us = {n: native(cpu, work, "int8", n).us_per_step for n in (1, 2, 3, 4)}
    assert us[1] > us[2] > us[3] > us[4]
    found = fit(PAPER, find("orin-nano-8gb"))
    on_cpu = {c.precision: c for c in found.candidates if c.engine == "native"}
    assert on_cpu["int8"].how == "3 threads"
    assert on_cpu["int8"].us_per_step == pytest.approx(us[3])
    alone = fit(PRESETS["tiny"], find("xeon-2.6"))
    assert [c.how for c in alone.candidates if c.engine == "native"] == ["", ""]


def test_the_promise_of_the_smallest_orins_cores_one_stream_in_real_time() -> None:
    """L30 R64 S256 at 16 kHz; one core of it makes 10,000 samples a second."""
    work, cpu = Work.of(PAPER), cpu_of("orin-nano-8gb")
    one, three = (native(cpu, work, "int8", n).samples_per_second for n in (1, 3))
    assert one < PAPER.sample_rate <= three


def test_tensorrt_is_offered_only_where_a_new_enough_one_exists() -> None:
    assert not runs_plans(find("xavier-nx"))  # JetPack 5 ends at TensorRT 8.5
    assert not runs_plans(find("cortex-a76"))
    assert runs_plans(find("orin-nano-4gb"))
    assert runs_plans(find("t4"))


def test_a_plan_is_not_predicted_faster_than_nv_wavenets_persistent_kernel() -> None:
    """The V100's published figure: one kernel for everything beats a chain of small ones."""
    assert chosen(PRESETS["medium"], "v100").samples_per_second < 42_800


def test_the_real_time_factor_is_of_the_models_rate() -> None:
    at_16k = fit(PAPER, find("xeon-2.6"))
    at_8k = fit(dataclasses.replace(PAPER, sample_rate=8000), find("xeon-2.6"))
    one = at_16k.candidates[0]
    assert at_16k.real_time_factor(one) == pytest.approx(one.samples_per_second / 16000)
    assert at_8k.real_time_factor(one) == pytest.approx(2 * at_16k.real_time_factor(one))


def test_constraints_of_a_jetson_a_card_and_a_cpu() -> None:
    orin = constraints(find("orin-nano-8gb"), "digits/")
    assert (orin.opset, orin.fp16, orin.tensorrt) == (17, True, "10.3.0")
    assert orin.command == "wn-run digits/"
    assert "(JetPack 6.0 or newer, extra jetpack6 or jetpack7)" in orin.why
    assert "compiled ahead for sm_87; engine.plan takes TensorRT 10.3.0 or newer" in orin.why
    assert orin.gpu_code is not None
    assert orin.gpu_code.jetpacks == {"6.0": 12, "6.2": 12, "7.2": 13}
    nano = constraints(find("nano"), "digits/")
    assert (nano.fp16, nano.tensorrt, nano.command) == (False, None, "wn-run digits/")
    assert "older than 10.3" in nano.why
    card = constraints(find("rtx-4090"), "digits/")
    assert card.march is None
    assert "sm_89" in card.why
    assert card.gpu_code is not None
    assert not card.gpu_code.jetpacks
    old = constraints(find("v100"), "digits/")
    assert (old.gpu_code, old.command) == (None, "wn-export digits/ --fp16")
    assert "7.0" in old.why
    assert constraints(find("cortex-a76"), "digits/").march == "armv8.2-a+dotprod"
