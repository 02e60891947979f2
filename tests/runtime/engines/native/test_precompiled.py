"""Libraries compiled ahead of time: run where no compiler is, and nowhere that they would crash."""

from __future__ import annotations

import dataclasses
import platform
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_uniforms
from tests.runtime.engines.native.targets import needs_compiler
from wn_runtime.engines import trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.native import cpu, precompiled, zig
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact

pytestmark = needs_compiler
SPEC = CORNERS["plain"]
LIBRARY = "native.fp32.so"
ARM_GCC = "aarch64-linux-gnu-gcc"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A model with a library compiled ahead of time for this CPU."""
    directory = write_model(tmp_path / "model", SPEC)
    add(directory, precompiled.precompile(SPEC, "fp32", "native", 1, directory / LIBRARY))
    return directory


def add(directory: Path, artifact: Artifact) -> None:
    record = manifests.record(directory / artifact.file)
    trust.add({record.sha256: artifact.file})
    manifest = manifests.with_artifact(manifests.read(directory), artifact, record)
    manifests.write(directory, manifest)


def test_a_device_without_a_compiler_runs_the_library_in_the_model(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uniforms = random_uniforms(40, 2)
    expected = open_engine(directory, "native", batch=2).generate(None, uniforms)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(zig, "command", tuple)
    engine = open_engine(directory, "native", batch=2)  # two groups of the one it was built for
    np.testing.assert_array_equal(engine.generate(None, uniforms), expected)


def test_a_library_named_as_a_file_runs_by_its_own_number_of_streams(directory: Path) -> None:
    assert open_engine(directory / LIBRARY).name == "native"
    wide = "native.wide.so"
    add(directory, precompiled.precompile(SPEC, "fp32", "native", 2, directory / wide))
    assert open_engine(directory / wide, batch=4).batch == 4
    with pytest.raises(WavestepError, match=r"makes 2 streams at a time; batch 3 is no multiple"):
        open_engine(directory / wide, batch=3)


def test_the_widest_library_that_divides_the_streams_is_taken(directory: Path) -> None:
    manifest = manifests.read(directory)
    one = next(artifact for artifact in manifest.artifacts if artifact.engine == "native")
    four, other = (
        dataclasses.replace(one, file="four.so", batch=4),
        dataclasses.replace(one, file="int8.so", batch=8, precision="int8"),
    )
    manifest = dataclasses.replace(manifest, artifacts=(one, four, other))
    assert precompiled.fitting(manifest, "fp32", 8) == four
    assert precompiled.fitting(manifest, "fp32", 6) == one
    assert precompiled.fitting(manifest, "bf16", 8) is None


def test_a_changed_library_is_refused(directory: Path, no_compiler: None) -> None:
    with (directory / LIBRARY).open("ab") as file:
        file.write(b"x")
    with pytest.raises(WavestepError, match="truncated or changed"):
        open_engine(directory, "native")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"features": ["avx1024"]}, "this CPU has no avx1024"),
        ({"machine": "riscv64"}, "is for riscv64"),
        ({"system": "windows"}, "is for windows, this is linux"),
        ({"features": None}, "does not say what CPU"),
    ],
)
def test_a_library_for_another_cpu_is_not_loaded(
    directory: Path, no_compiler: None, change: dict[str, Any], reason: str
) -> None:
    artifact = next(a for a in manifests.read(directory).artifacts if a.engine == "native")
    add(directory, dataclasses.replace(artifact, built={**artifact.built, **change}))
    with pytest.raises(EngineUnavailable, match=reason):
        open_engine(directory / LIBRARY)
    assert open_engine(directory).name == "onnx"


def test_a_library_of_another_model_is_not_loaded(directory: Path, no_compiler: None) -> None:
    other = dataclasses.replace(SPEC, dilations=(1, 4, 2))  # of the same sizes, every one
    write_model(directory, other)
    built = {"machine": platform.machine(), "features": []}
    add(directory, Artifact(LIBRARY, "native", "fp32", 1, built=built))
    with pytest.raises(WavestepError, match="other shapes"):
        open_engine(directory / LIBRARY)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of x86-64 features")
def test_features_are_those_that_the_compiler_may_use(tmp_path: Path) -> None:
    artifact = precompiled.precompile(SPEC, "int8", "x86-64-v3", 4, tmp_path / "v3.so")
    assert {"avx2", "fma", "bmi2", "movbe"} <= set(artifact.built["features"])
    assert "avx512f" not in artifact.built["features"]
    assert (artifact.engine, artifact.precision, artifact.batch) == ("native", "int8", 4)
    assert "gcc" in artifact.built["compiler"] or "cc" in artifact.built["compiler"]
    _, none = cpu.required(["cc", "-march=x86-64"])
    assert none == ()


@pytest.mark.skipif(not shutil.which(ARM_GCC), reason="needs gcc-aarch64-linux-gnu")
@pytest.mark.skipif(platform.machine() == "aarch64", reason="this is an Arm machine")
@pytest.mark.parametrize("march", ["armv8.2-a+dotprod", "cortex-a78ae"])
def test_an_arm_device_is_compiled_for_with_the_cross_compiler(tmp_path: Path, march: str) -> None:
    artifact = precompiled.precompile(SPEC, "int8", march, 1, tmp_path / "arm.so")
    assert artifact.built["machine"] == "aarch64"
    assert "asimddp" in artifact.built["features"]
    assert (tmp_path / "arm.so").read_bytes()[18:20] == b"\xb7\x00"  # ELF machine AArch64
    assert "is for aarch64" in (precompiled.unsuitable(artifact) or "")


@pytest.mark.usefixtures("no_compiler")
@pytest.mark.skipif(platform.machine() == "aarch64", reason="this is an Arm machine")
def test_without_the_cross_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"aarch64-linux-gnu-gcc is not here; .*install"):
        precompiled.precompile(SPEC, "int8", "armv8-a", 1, tmp_path / "arm.so")
