"""The examples of generator.onnx, Python, C++ and Node, make one sound, and it is wn-run's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.models.model_dir import write_model
from tests.models.specs import SPEAKER, small_spec
from wn_runtime.commands.run import main
from wn_runtime.heads.logistic import Logistic
from wn_runtime.model.postprocess import Postprocess

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "onnx"
STAND_IN = Path(__file__).parent / "stand_in"
SECONDS, SEED, TEMPERATURE = "0.3", "11", "0.7"  # over two calls of 1024 samples
MODELS = {
    "a speaker": (small_spec((1, 2, 64, 100), classes=256, conditions=(SPEAKER,)), 1),
    "amplitudes of two streams": (
        small_spec((1, 70), output=Logistic(3), postprocess=Postprocess(0.85, 0.7)),
        2,
    ),
}
CONDITIONS = {"a speaker": ["speaker=1"], "amplitudes of two streams": []}


@pytest.fixture(scope="module", params=MODELS)
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec, batch = MODELS[request.param]
    path = tmp_path_factory.mktemp("examples") / request.param
    return write_model(path, spec, batch=batch, generator=True)


@pytest.fixture(scope="module")
def from_python(directory: Path) -> bytes:
    """In a process that is told nothing of where wavestep's sources are."""
    done = example(directory, sys.executable, "-I", EXAMPLES / "generate.py")
    assert done.returncode == 0, done.stderr
    return (directory.parent / "out.wav").read_bytes()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """generate.cpp, with ONNX Runtime's library as pip brought it."""
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler is here")
    capi = Path(pytest.importorskip("onnxruntime").__file__).parent / "capi"
    library = next(capi.glob("libonnxruntime.so.*"), None)
    if library is None:
        pytest.skip("this ONNX Runtime's package has no library of its own")
    folder = tmp_path_factory.mktemp("program")
    for name in ("libonnxruntime.so", "libonnxruntime.so.1", library.name):
        (folder / name).symlink_to(library)
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-I", STAND_IN]
    link = ["-L", folder, "-lonnxruntime", f"-Wl,-rpath,{folder}"]
    built = folder / "generate"
    command = [compiler, *flags, EXAMPLES / "generate.cpp", *link, "-o", built]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return built


def example(
    directory: Path, *command: str | Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    out = directory.parent / "out.wav"
    words = [directory, out, SECONDS, SEED, TEMPERATURE, *CONDITIONS[directory.name]]
    return subprocess.run(
        [*map(str, command), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_pythons_sound_is_wn_runs(directory: Path, from_python: bytes, tmp_path: Path) -> None:
    from click.testing import CliRunner

    streams = MODELS[directory.name][1]
    words = ["--engine", "generator", "--batch", streams, "-o", tmp_path / "run.wav"]
    words += ["--seconds", SECONDS, "--seed", SEED, "--temperature", TEMPERATURE]
    words += ["--speaker", 1] if CONDITIONS[directory.name] else []
    result = CliRunner().invoke(main, [str(word) for word in (directory, *words)])
    assert result.exit_code == 0, result.output
    (directory.parent / "python.wav").write_bytes(from_python)
    own, rate = soundfile.read(directory.parent / "python.wav", dtype="int16", always_2d=True)
    names = ["run.wav"] if streams == 1 else [f"run-{i}.wav" for i in range(streams)]
    each = [soundfile.read(tmp_path / name, dtype="int16")[0] for name in names]
    assert (rate, own.shape) == (8000, (2400, streams))
    assert np.abs(own.astype(int) - np.stack(each, axis=1)).max() <= 1  # another rounding
    assert own.std() > 100


def test_python_says_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-I", str(EXAMPLES / "generate.py")]
    missing = f"error: {tmp_path} has no generator.onnx; make it with wn-export DIR --generator"
    for words, fault in (([str(tmp_path), "x"], missing), ([], "python generate.py DIR OUT.wav")):
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert fault in done.stderr
        assert done.stderr.count("\n") == 1


def test_cpps_sound_is_pythons(directory: Path, from_python: bytes, program: Path) -> None:
    done = example(directory, program)
    assert done.returncode == 0, done.stderr
    assert (directory.parent / "out.wav").read_bytes() == from_python


def test_cpp_says_what_is_missing(tmp_path: Path, program: Path) -> None:
    done = subprocess.run([program, tmp_path, "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Load model from")
    assert subprocess.run([program], capture_output=True, check=False).returncode == 2


def test_nodes_sound_is_pythons(directory: Path, from_python: bytes) -> None:
    """Where onnxruntime-node is: in node_modules here, or where NODE_PATH says."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here")
    paths = {"NODE_PATH": os.environ.get("NODE_PATH", str(ROOT / "node_modules"))}
    find = [node, "-e", "require.resolve('onnxruntime-node')"]
    there = subprocess.run(find, capture_output=True, check=False, env={**os.environ, **paths})
    if there.returncode:
        pytest.skip("onnxruntime-node is not here: npm install --ignore-scripts onnxruntime-node")
    done = example(directory, node, EXAMPLES / "generate.mjs", **paths)
    assert done.returncode == 0, done.stderr
    assert (directory.parent / "out.wav").read_bytes() == from_python
