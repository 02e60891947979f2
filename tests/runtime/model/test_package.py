"""A package reads a model directory once, verified, and holds what its engines share."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, random_weights
from wn_runtime.engines.choice import open_in
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import FileRecord
from wn_runtime.model.package import ModelPackage, open_package

SPEC = CORNERS["two_conditions"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", SPEC, ("fp32", "fp16"))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many times each file has been read against its record."""
    counts: Counter[str] = Counter()
    original = manifests._compare

    def counted(path: Path, expected: FileRecord, size: int, sha256: str) -> None:
        counts[path.name] += 1
        original(path, expected, size, sha256)

    monkeypatch.setattr(manifests, "_compare", counted)
    return counts


def test_a_file_is_verified_once_however_often_it_is_asked_for(
    directory: Path, hashed: Counter[str]
) -> None:
    package = ModelPackage(directory)
    assert not hashed  # nothing is read before it is needed
    for _ in range(3):
        package.verify("step.onnx")
        assert package.weights is package.weights
        assert package.conditioner is package.conditioner
    assert hashed == {"step.onnx": 1, "weights.safetensors": 1}
    package.verify()  # the rest of the directory
    assert hashed == dict.fromkeys(package.manifest.files, 1)


def test_a_models_streams_and_their_engines_read_nothing_again(
    directory: Path, hashed: Counter[str]
) -> None:
    with wn_runtime.open(directory, "onnx") as model:
        streams = [model.stream(seed, speaker="ann") for seed in range(3)]
        assert hashed == {"step.onnx": 1, "weights.safetensors": 1}
        for stream in streams:
            stream.close()


def test_engines_of_one_package_read_only_what_is_theirs(
    directory: Path, hashed: Counter[str]
) -> None:
    package = ModelPackage(directory)
    for precision in ("fp32", "fp16", "fp16"):
        open_in(package, None, "onnx", precision)
    assert hashed == {"step.onnx": 1, "step.fp16.onnx": 1}


def test_what_changes_after_it_was_verified_is_another_packages_business(directory: Path) -> None:
    package = ModelPackage(directory)
    package.verify("step.onnx")
    (directory / "step.onnx").write_bytes(b"other")
    package.verify("step.onnx")
    with pytest.raises(WavestepError, match="truncated or changed"):
        ModelPackage(directory).verify("step.onnx")


def test_a_file_that_was_refused_is_looked_at_again(directory: Path) -> None:
    package, path = ModelPackage(directory), directory / "step.onnx"
    whole = path.read_bytes()
    path.write_bytes(whole[1:])
    with pytest.raises(WavestepError, match="truncated or changed"):
        package.read("step.onnx")
    path.write_bytes(whole)
    assert package.read("step.onnx") == whole


def test_weights_and_conditioner_are_those_of_the_directory(directory: Path) -> None:
    package = ModelPackage(directory)
    expected = random_weights(SPEC)
    assert package.weights.keys() == expected.keys()
    assert all(np.array_equal(package.weights[name], expected[name]) for name in expected)
    bias = package.conditioner.whole({"speaker": "bob"}, 1, 8)
    assert bias is not None
    np.testing.assert_array_equal(bias[0, :, 0], expected["condition.speaker.weight"][1])


def test_a_model_without_conditioning_needs_no_weights_for_it(
    tmp_path: Path, hashed: Counter[str]
) -> None:
    package = ModelPackage(write_model(tmp_path, CORNERS["plain"]))
    hashed.clear()
    assert package.conditioner.whole({}, 2, 8) is None
    assert not hashed


def test_what_threads_share_is_made_once(directory: Path) -> None:
    package, together = ModelPackage(directory), threading.Barrier(8)
    made: list[int] = []

    def ask(thread: int) -> object:
        def make() -> list[int]:
            made.append(thread)
            return [thread]

        together.wait()
        return package.shared("key", make)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert len(made) == 1
    assert all(each is found[0] for each in found)


def test_making_one_shared_thing_may_ask_for_another(directory: Path) -> None:
    package = ModelPackage(directory)
    assert package.shared("outer", lambda: package.shared("inner", lambda: 1) + 1) == 2


def test_what_could_not_be_made_is_tried_again(directory: Path) -> None:
    package = ModelPackage(directory)
    with pytest.raises(ZeroDivisionError):
        package.shared("key", lambda: 1 // 0)
    assert package.shared("key", lambda: 5) == 5


def test_a_path_opens_a_package_and_the_artifact_it_names(directory: Path) -> None:
    for path in (directory, str(directory), directory / manifests.MANIFEST):
        package, artifact = open_package(path)
        assert (package.directory, artifact) == (directory, None)
    package, artifact = open_package(directory / "step.fp16.onnx")
    assert artifact is not None
    assert (package.spec, artifact.precision) == (SPEC, "fp16")
    with pytest.raises(
        WavestepError, match=r"engine file 'weights.safetensors' is unknown; .*step"
    ):
        open_package(directory / manifests.WEIGHTS)
