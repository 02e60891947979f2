"""Libraries compiled ahead: they run where no compiler is, and nowhere that they would crash."""

import dataclasses
import platform
import shutil

import numpy as np
import pytest

from tests.model_dir import write_model
from tests.runtime.engines.native.targets import needs_compiler
from tests.specs import CORNERS
from wn_runtime.engines.engine import EngineUnavailable, open_engine
from wn_runtime.engines.native import cpu
from wn_runtime.engines.native import precompiled as ahead
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests

pytestmark = needs_compiler
SPEC = CORNERS["plain"]


@pytest.fixture
def directory(tmp_path):
    """A model with a library compiled ahead for this CPU."""
    directory = write_model(tmp_path / "model", SPEC)
    artifact = ahead.compile_ahead(SPEC, "fp32", "native", 1, directory / "native.fp32.so")
    _add(directory, artifact)
    return directory


def _add(directory, artifact):
    record = manifests.record(directory / artifact.file)
    manifest = manifests.with_artifact(manifests.read(directory), artifact, record)
    manifests.write(directory, manifest)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)


def test_a_device_without_a_compiler_runs_the_library_in_the_model(directory, monkeypatch):
    uniforms = np.random.default_rng(0).random((40, 2)).astype(np.float32)
    expected = open_engine(directory, "native", batch=2).generate(None, uniforms)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    engine = open_engine(directory, batch=2)  # two groups of the one stream it was built for
    assert engine.name == "native"
    np.testing.assert_array_equal(engine.generate(None, uniforms), expected)


def test_a_library_named_as_a_file_runs(directory):
    assert open_engine(directory / "native.fp32.so").name == "native"


def test_a_changed_library_is_refused(directory, no_compiler):
    with (directory / "native.fp32.so").open("ab") as file:
        file.write(b"x")
    with pytest.raises(WavestepError, match="truncated or changed"):
        open_engine(directory)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"features": ["avx1024"]}, "this CPU has no avx1024"),
        ({"machine": "riscv64"}, "is for riscv64"),
        ({"features": None}, "does not say what CPU"),
    ],
)
def test_a_library_for_another_cpu_is_not_loaded(directory, change, reason, no_compiler):
    artifact = next(a for a in manifests.read(directory).artifacts if a.engine == "native")
    _add(directory, dataclasses.replace(artifact, built={**artifact.built, **change}))
    with pytest.raises(EngineUnavailable, match=reason):
        open_engine(directory / "native.fp32.so")
    assert open_engine(directory).name == "onnx"


def test_a_library_of_another_model_is_not_loaded(directory, no_compiler):
    other = dataclasses.replace(SPEC, dilations=(1, 4, 2))  # of the same sizes, every one
    write_model(directory, other)
    path = directory / "native.fp32.so"
    artifact = dataclasses.replace(
        manifests.read(directory).artifacts[0], file=path.name, engine="native",
        built={"machine": platform.machine(), "features": []},
    )  # fmt: skip
    _add(directory, artifact)
    with pytest.raises(WavestepError, match="other shapes"):
        open_engine(path)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of x86-64 features")
def test_features_are_those_that_the_compiler_may_use(tmp_path):
    artifact = ahead.compile_ahead(SPEC, "int8", "x86-64-v3", 4, tmp_path / "v3.so")
    assert {"avx2", "fma", "bmi2", "movbe"} <= set(artifact.built["features"])
    assert "avx512f" not in artifact.built["features"]
    assert (artifact.engine, artifact.precision, artifact.batch) == ("native", "int8", 4)
    assert "gcc" in artifact.built["compiler"] or "cc" in artifact.built["compiler"]
    _, none = cpu.required(["cc", "-march=x86-64"])
    assert none == ()


@pytest.mark.skipif(not shutil.which(ahead.CROSS), reason="needs gcc-aarch64-linux-gnu")
@pytest.mark.skipif(platform.machine() == "aarch64", reason="this is an Arm machine")
@pytest.mark.parametrize("march", ["armv8.2-a+dotprod", "cortex-a78ae"])
def test_an_arm_device_is_compiled_for_with_the_cross_compiler(tmp_path, march):
    artifact = ahead.compile_ahead(SPEC, "int8", march, 1, tmp_path / "arm.so")
    assert artifact.built["machine"] == "aarch64"
    assert "asimddp" in artifact.built["features"]
    assert (tmp_path / "arm.so").read_bytes()[18:20] == b"\xb7\x00"  # ELF machine AArch64
    assert "is for aarch64" in ahead.misfit(artifact)


def test_without_the_cross_compiler_it_says_what_to_install(tmp_path, no_compiler):
    if platform.machine() == "aarch64":
        pytest.skip("this is an Arm machine")
    with pytest.raises(EngineUnavailable, match="apt install gcc-aarch64-linux-gnu"):
        ahead.compile_ahead(SPEC, "int8", "armv8-a", 1, tmp_path / "arm.so")
