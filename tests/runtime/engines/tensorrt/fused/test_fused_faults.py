"""What stands in a fused plan's way is told in one line with its remedy, and exit code 2."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cuda_on_cpu.device import Program
from tests.cuda_on_cpu.fused_dir import PLAN, write_fused
from tests.cuda_on_cpu.gpu import Gpu
from tests.models.specs import CORNERS, random_bias, random_uniforms
from wn_runtime.commands.run import main
from wn_runtime.engines import trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.trust import Untrusted
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest

SPEC = CORNERS["uneven"]


@pytest.fixture
def directory(tmp_path: Path, tensorrt: Any) -> Path:
    return write_fused(tmp_path / "voice", SPEC, tensorrt, 3)


def with_record(directory: Path, change: Callable[[dict[str, Any]], None]) -> Manifest:
    """The manifest with a plan's record that is changed, written too."""
    manifest = manifests.read(directory)
    plan = manifest.artifacts[-1]
    built = {**plan.built, "fused": dict(plan.built["fused"] or {})}
    change(built)
    plan = dataclasses.replace(plan, built=built)
    manifest = dataclasses.replace(manifest, artifacts=(*manifest.artifacts[:-1], plan))
    manifests.write(directory, manifest)
    return manifest


def other_source(built: dict[str, Any]) -> None:
    built["fused"]["source_sha256"] = "0" * 64


def no_schedule(built: dict[str, Any]) -> None:
    built["fused"]["schedule"] = "tiles"


def little_shared(built: dict[str, Any]) -> None:
    built["fused"]["shared_limit"] = 16


def no_gpu(built: dict[str, Any]) -> None:
    built["compute_capability"] = None


def other_gpu(built: dict[str, Any]) -> None:
    built["compute_capability"] = "7.5"


def other_version(built: dict[str, Any]) -> None:
    built["version"] = "10.4.0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            other_source,
            r"engine\.plan: the plan was built from other sources, .*; build it anew",
        ),
        (
            little_shared,
            r"engine\.plan: the plan was built from other sources, .*; build it anew",
        ),
        (no_schedule, "schedule 'tiles' is unknown; give"),
        (no_gpu, "does not say which GPU its kernel is for; build it anew"),
        (other_gpu, r"was built for Test GPU \(compute capability 7.5\), this is Test GPU \(8.7"),
        (other_version, "was built with TensorRT 10.4.0, this is TensorRT 10.3.0; build it anew"),
    ],
)
def test_a_plan_of_another_kernel_gpu_or_tensorrt_is_not_loaded(
    directory: Path, tensorrt: Any, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    with_record(directory, change)
    loaded = tensorrt.loaded
    with pytest.raises(WavestepError, match=said):
        open_engine(directory / PLAN, batch=3)
    assert tensorrt.loaded == loaded


def test_the_command_says_so_in_one_line_and_exits_with_2(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_record(directory, other_source)
    with pytest.raises(SystemExit) as stopped:
        main([str(directory / PLAN), "--seconds", "0.01", "-o", str(directory / "out.wav")])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert len((out + err).strip().splitlines()) == 1
    assert "was built from other sources, or for a model of other shapes" in err


def test_a_plan_of_another_model_is_told(directory: Path) -> None:
    manifest = manifests.read(directory)
    spec = dataclasses.replace(SPEC, residual_scale=0.5)
    manifests.write(directory, dataclasses.replace(manifest, spec=spec))
    with pytest.raises(EngineUnavailable, match="of other shapes, than these; build it"):
        open_engine(directory / PLAN, batch=3)


def test_weights_that_changed_since_are_told(directory: Path) -> None:
    path = directory / manifests.WEIGHTS
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(WavestepError, match=r"has changed since engine\.plan was built from it"):
        open_engine(directory / PLAN, batch=3)


def test_a_plan_that_nobody_trusts_is_not_loaded(
    directory: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = tensorrt.loaded
    monkeypatch.setattr(trust, "trusted", frozenset)
    with pytest.raises(Untrusted, match=r"engine\.plan is code, and nobody here has said to trust"):
        open_engine(directory / PLAN, batch=3)
    assert tensorrt.loaded == loaded


def test_a_plan_whose_plugin_nobody_registered_is_one_line(
    directory: Path, tensorrt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a record that hides the node would have it."""
    with_record(directory, lambda built: built.update(fused=None))
    monkeypatch.setattr(tensorrt.get_plugin_registry(), "_creators", {})
    with pytest.raises(
        WavestepError, match=r"cannot load engine.plan \(.*Cannot find plugin WavestepChunk"
    ):
        open_engine(directory / PLAN, batch=3)


def test_a_plan_whose_fields_are_damaged_is_one_line(directory: Path, tensorrt: Any) -> None:
    path = directory / PLAN
    path.write_bytes(re.sub(rb'\["3", -?\d+\]', b'["3", 7]', path.read_bytes()))
    manifest = manifests.with_file(manifests.read(directory), path)
    manifests.write(directory, manifest)
    trust.add({manifest.files[PLAN].sha256: "a damaged plan"})
    with pytest.raises(
        WavestepError, match=r"cannot load engine.plan \(Error Code 4: the plan's plugin: "
    ):
        open_engine(directory / PLAN, batch=3)


def test_without_nvrtc_it_says_how_to_get_it(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("libnvrtc.so.12 was not found")

    monkeypatch.setattr(Program, "__init__", missing)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    with pytest.raises(EngineUnavailable, match=r"NVRTC cannot compile .*not found.*pip install"):
        open_engine(directory / PLAN, batch=3)


def test_a_lost_device_is_one_line_and_every_call_after_it_too(directory: Path, gpu: Gpu) -> None:
    engine = open_engine(directory / PLAN, batch=3)
    bias, drawn_from = random_bias(SPEC, 3), random_uniforms(8, 3)
    samples = engine.generate(bias, drawn_from)
    engine.score(samples, bias)
    gpu.lose()
    calls: list[Callable[[], object]] = [
        lambda: engine.generate(bias, drawn_from),
        lambda: engine.score(samples, bias),
    ]
    for call in calls * 2:
        with pytest.raises(WavestepError, match=r"GPU .* failed while .*: open the engine again"):
            call()
    engine.close()


def test_a_plan_that_fails_while_it_runs_is_one_line(directory: Path, tensorrt: Any) -> None:
    engine = open_engine(directory / PLAN, batch=3)
    tensorrt.fail_execute = True
    with pytest.raises(WavestepError, match=r"failed to run the plan: .*enqueueV3.*: open the"):
        engine.generate(random_bias(SPEC, 3), random_uniforms(8, 3))


def test_too_small_a_gpu_is_said_before_anything_is_loaded(
    directory: Path, tensorrt: Any, gpu: Gpu
) -> None:
    loaded, gpu.memory = tensorrt.loaded, 100_000
    with pytest.raises(EngineUnavailable, match=r"needs [1-9]\d* MiB|needs 0 MiB of GPU memory"):
        open_engine(directory / PLAN, batch=3)
    assert tensorrt.loaded == loaded
