"""Every figure of the catalogue says where it comes from, or that it is unconfirmed."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from wn_runtime.engines.native.costs import COSTS
from wn_runtime.errors import WavestepError
from wn_targets.devices import sources
from wn_targets.devices.catalogue import TARGETS, find
from wn_targets.devices.cpu import CPUS
from wn_targets.devices.gpu import GPUS
from wn_targets.devices.jetpack import JETPACKS
from wn_targets.devices.jetson import JETSONS
from wn_targets.devices.target import Gpu, Target

JETSON_MODULES = {
    "nano",
    "tx2",
    "xavier-nx",
    "agx-xavier",
    "orin-nano-4gb",
    "orin-nano-8gb",
    "orin-nx-8gb",
    "orin-nx-16gb",
    "agx-orin-32gb",
    "agx-orin-64gb",
    "thor-t4000",
    "thor-t5000",
}


def gpu_of(name: str) -> Gpu:
    gpu = find(name).gpu
    assert gpu is not None
    return gpu


def test_every_jetson_module_is_known() -> None:
    assert {target.name for target in JETSONS} == JETSON_MODULES


def test_names_are_unique() -> None:
    assert len(TARGETS) == len(JETSONS) + len(GPUS) + len(CPUS)


@pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))
def test_a_target_is_complete_and_its_sources_are_listed(target: Target) -> None:
    known = {value for name, value in vars(sources).items() if name.isupper()}
    for _, field, value, source in target.figures():
        assert value, field
        assert source is None or source in known
    assert set(target.jetpacks) <= set(JETPACKS)
    assert bool(target.jetpacks) == (target.family == "jetson")
    if target.cpu is not None:
        assert target.cpu.isa in COSTS


def test_figures_from_memory_are_shown_as_unconfirmed() -> None:
    l2 = {(part, field): source for part, field, _, source in find("nano").figures()}
    assert l2["gpu", "l2_kib"] is None
    assert l2["gpu", "clock_mhz"] == sources.MAXWELL_PASCAL_TABLE


@pytest.mark.parametrize("figure", ["clock_mh", "l2_kib"])
def test_a_source_for_a_misspelt_or_missing_figure_is_refused(figure: str) -> None:
    gpu = gpu_of("orin-nano-4gb")
    assert gpu.l2_kib is None
    with pytest.raises(ValueError, match=f"source for '{figure}', which is not there"):
        dataclasses.replace(gpu, sources={figure: "a page"})


def test_a_target_needs_a_processor() -> None:
    with pytest.raises(ValueError, match="nano has neither cpu nor gpu"):
        dataclasses.replace(find("nano"), cpu=None, gpu=None)


def test_an_unknown_name_is_an_error_that_suggests_the_nearest() -> None:
    with pytest.raises(WavestepError, match="did you mean 'orin-nano-8gb'"):
        find("orin-nano-8g")


def test_compute_capabilities_are_those_that_kernels_are_compiled_for() -> None:
    names = ("t4", "a100", "orin-nano-8gb", "l4", "h200", "thor-t5000", "rtx-5090")
    assert [gpu_of(name).sm for name in names] == [75, 80, 87, 89, 90, 110, 120]


@pytest.mark.parametrize(
    ("version", "plans"),
    [("4.6", False), ("5.1", False), ("6.0", False), ("6.2", True), ("7.1", True), ("7.2", True)],
)
def test_jetpack_runs_plans_from_tensorrt_10_3_on(version: str, plans: bool) -> None:
    assert JETPACKS[version].runs_plans is plans


def test_fp8_begins_with_ada_and_fp4_with_blackwell() -> None:
    begin = {"fp8": 89, "fp4": 100}
    for target in (*JETSONS, *GPUS):
        gpu = gpu_of(target.name)
        for precision, oldest in begin.items():
            assert (precision in gpu.precisions) == (gpu.sm >= oldest), (target.name, precision)


def test_the_catalogue_needs_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import wn_targets.commands.targets\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'matplotlib', 'tensorrt', 'cuda'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
