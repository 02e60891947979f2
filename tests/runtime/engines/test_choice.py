"""open_engine takes the engine that should be fastest here, or exactly the one that was named."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.law.numpy_engine import NumpyEngine
from tests.models.model_dir import with_default, write_model
from tests.models.specs import CORNERS, PLAIN, small_spec
from wn_runtime.engines import measured, registry
from wn_runtime.engines.choice import by_speed, open_engine
from wn_runtime.engines.engine import Engine
from wn_runtime.engines.kind import EngineKind, Request
from wn_runtime.engines.onnx.kind import ONNX
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.work import Work

Cost = Callable[[Work, str, int, int], float]


@pytest.fixture(autouse=True)
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty file of measurements."""
    directory = tmp_path / "cache"
    directory.mkdir()
    monkeypatch.setattr(measured, "cache_directory", lambda: directory)
    return directory / measured.FILE


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", PLAIN)


def opened(request: Request) -> Engine:
    engine = NumpyEngine(request.package.spec, request.package.weights, request.batch)
    engine.name = request.kind.name
    return engine


def kind(name: str, us: float | Cost, opener: Any = opened, **fields: Any) -> EngineKind:
    """A kind of engine made from the weights, whose step takes `us`."""
    cost: Cost = us if callable(us) else lambda work, precision, batch, threads: us
    needed = {"precisions": ("fp32",), "artifact": None, "needs": (), "on_gpu": False}
    return EngineKind(**{"name": name, "expected_us": cost, "open": opener, **needed, **fields})


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make these kinds the only ones there are."""

    def register(*kinds: EngineKind) -> None:
        monkeypatch.setattr(registry, "ENGINES", {each.name: each for each in kinds})

    return register


def order(
    directory: Path, precision: str | None = None, batch: int = 1, threads: int = 1
) -> list[str]:
    package = ModelPackage(directory)
    return [each.name for each in by_speed(package, precision, batch, threads)]


def test_the_cheapest_by_its_cost_model_is_first_in_whatever_order_they_stand(
    directory: Path, only: Callable[..., None]
) -> None:
    quick, slow, middle = kind("quick", 1), kind("slow", 9), kind("middle", 5)
    for kinds in ((slow, quick, middle), (quick, middle, slow), (middle, slow, quick)):
        only(*kinds)
        assert order(directory) == ["quick", "middle", "slow"]
        assert open_engine(directory, batch=2).name == "quick"


def test_which_is_cheapest_depends_on_model_streams_and_threads(
    tmp_path: Path, directory: Path, only: Callable[..., None]
) -> None:
    steady = kind("steady", 100)
    growing = kind("growing", lambda work, precision, batch, threads: work.macs / 100 * batch)
    threaded = kind("threaded", lambda work, precision, batch, threads: 1000 / threads)
    only(steady, growing, threaded)
    assert order(directory) == ["growing", "steady", "threaded"]
    assert order(directory, batch=16) == ["steady", "growing", "threaded"]
    assert order(directory, threads=500) == ["threaded", "growing", "steady"]
    large = write_model(tmp_path / "large", small_spec((1, 2), 64, 128, 64, 64))
    assert order(large) == ["steady", "growing", "threaded"]


def test_what_was_measured_here_comes_before_any_cost_model(
    directory: Path, only: Callable[..., None]
) -> None:
    only(kind("a", 10), kind("b", 20), kind("c", 30))
    package = ModelPackage(directory)
    measured.record(package, {("c", "fp32", 1, 1): 15.0})
    assert order(directory) == ["a", "c", "b"]  # a figure is held against the others' models
    measured.record(package, {("a", "fp32", 1, 1): 16.0, ("c", "fp32", 1, 1): 14.0})
    assert order(directory) == ["c", "a", "b"]
    assert open_engine(directory).name == "c"


def test_a_figure_is_for_its_own_model_precision_streams_and_threads(
    tmp_path: Path, directory: Path, only: Callable[..., None]
) -> None:
    only(kind("a", 10), kind("b", 20, precisions=("bf16", "fp32")))
    measured.record(ModelPackage(directory), {("b", "fp32", 2, 3): 1.0, ("b", "bf16", 1, 1): 1.0})
    assert order(directory, batch=2, threads=3) == ["b", "a"]
    for others in ((1, 1), (2, 1), (1, 3), (3, 2)):
        assert order(directory, None, *others) == ["a", "b"]
    same_shapes = write_model(tmp_path / "other", PLAIN, seed=1)
    assert order(same_shapes, batch=2, threads=3) == ["a", "b"]
    with_default(directory, "b", "bf16")
    assert order(directory) == ["b", "a"]  # the precision that it would be opened in


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"%s": "fast"}', '{"%s": -1}', '{"%s": NaN}', '{"%s": null}']
)
def test_a_damaged_file_of_measurements_means_the_cost_models_decide(
    directory: Path, only: Callable[..., None], nothing_is_measured: Path, text: str
) -> None:
    only(kind("a", 10), kind("b", 20))
    package = ModelPackage(directory)
    measured.record(package, {("b", "fp32", 1, 1): 1.0})
    assert order(directory) == ["b", "a"]
    (key,) = json.loads(nothing_is_measured.read_text())
    nothing_is_measured.write_text(text.replace("%s", key))
    assert order(directory) == ["a", "b"]
    measured.record(package, {("b", "fp32", 1, 1): 1.0})
    assert order(directory) == ["b", "a"]


def test_measurements_that_cannot_be_kept_are_no_error(
    directory: Path, monkeypatch: pytest.MonkeyPatch, nothing_is_measured: Path
) -> None:
    package = ModelPackage(directory)
    monkeypatch.setattr(measured, "_MOST", 2)
    for batch in (1, 2, 3):
        measured.record(package, {("a", "fp32", batch, 1): 5.0 * batch})
    found = [measured.step_us(package, "a", "fp32", batch, 1) for batch in (1, 2, 3)]
    assert found == [None, 10.0, 15.0]  # the newest are kept
    nothing_is_measured.unlink()
    nothing_is_measured.mkdir()
    measured.record(package, {("a", "fp32", 1, 1): 1.0})
    assert measured.step_us(package, "a", "fp32", 1, 1) is None


def test_only_what_can_run_the_precision_is_tried_and_costed_in_it(
    directory: Path, only: Callable[..., None]
) -> None:
    widths = {"fp32": 30.0, "int8": 3.0}
    both = kind("both", lambda work, precision, *_: widths[precision], precisions=("int8", "fp32"))
    graphs = dataclasses.replace(ONNX, expected_us=lambda work, precision, *_: 100)
    only(kind("wide", 20), both, graphs)  # a step graph in fp32 was exported
    assert order(directory, "int8") == ["both"]
    assert order(directory, "fp32") == ["wide", "both", "onnx"]
    assert order(directory, "fp16") == []
    assert order(directory) == ["wide", "both", "onnx"]  # unproven int8 is nobody's default
    with_default(directory, "both", "int8")
    assert order(directory) == ["both", "wide", "onnx"]


def test_an_engine_that_must_be_named_is_not_taken_without(
    directory: Path, only: Callable[..., None]
) -> None:
    only(kind("named", 1, automatic=False), kind("other", 2))
    assert open_engine(directory).name == "other"
    assert open_engine(directory, "named").name == "named"


def test_why_a_faster_one_was_not_taken_is_said(directory: Path, only: Callable[..., None]) -> None:
    def no_compiler(request: Request) -> Engine:
        raise EngineUnavailable("no C compiler; apt install gcc")

    only(kind("quick", 1, no_compiler), kind("slow", 2), kind("slowest", 3, no_compiler))
    said: list[str] = []
    assert open_engine(directory, say=said.append).name == "slow"
    assert said == ["quick: no C compiler; apt install gcc"]
    with pytest.raises(EngineUnavailable, match="no C compiler"):
        open_engine(directory, "quick")
    only(kind("quick", 1, no_compiler))
    with pytest.raises(WavestepError, match=r"no engine can run .*model: quick: no C compiler"):
        open_engine(directory)


def test_a_broken_file_is_never_a_reason_for_another_engine(
    directory: Path, only: Callable[..., None]
) -> None:
    def tampered(request: Request) -> Engine:
        raise WavestepError("weights.safetensors is not the file manifest.json describes")

    only(kind("quick", 1, tampered), kind("slow", 2))
    with pytest.raises(WavestepError, match="is not the file"):
        open_engine(directory)


def test_a_file_names_engine_and_precision(tmp_path: Path) -> None:
    directory = write_model(tmp_path / "model", PLAIN, ("fp32", "fp16"))
    assert open_engine(directory, "onnx").precision == "fp32"
    named = open_engine(directory / "step.fp16.onnx")
    assert (named.name, named.precision) == ("onnx", "fp16")
    assert open_engine(directory / manifests.MANIFEST, "onnx").precision == "fp32"
    with pytest.raises(WavestepError, match="is fp16, not fp32; name the directory"):
        open_engine(directory / "step.fp16.onnx", precision="fp32")


def test_a_file_of_another_engine_is_an_error(directory: Path) -> None:
    with pytest.raises(WavestepError, match="is for the onnx engine, not for native"):
        open_engine(directory / "step.onnx", engine="native")
    with pytest.raises(WavestepError, match=r"engine file 'weights.safetensors' is unknown"):
        open_engine(directory / manifests.WEIGHTS)
    path = directory / manifests.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["artifacts"][0]["engine"] = "quantum"
    path.write_text(json.dumps(manifest))
    with pytest.raises(WavestepError, match="engine 'quantum' is unknown"):
        open_engine(directory / "step.onnx")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": "onxx"}, r"engine 'onxx' is unknown; .*\(did you mean 'onnx'\?\)"),
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"threads": -1}, "threads is -1; it must be at least 1"),
        ({"engine": "onnx", "precision": "int3"}, "has no int3; its precisions are fp32, fp16"),
        ({"precision": "int3"}, "precision 'int3' is unknown; known are: fp32, fp16, bf16, int8"),
        ({"precision": "fp61"}, r"precision 'fp61' is unknown; .*\(did you mean 'fp16'\?\)"),
    ],
)
def test_what_cannot_be_had_is_an_error(
    directory: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(WavestepError, match=message):
        open_engine(directory, **arguments)


def test_no_model_no_manifest_and_nothing_exported_are_errors(
    tmp_path: Path, only: Callable[..., None]
) -> None:
    with pytest.raises(WavestepError, match="does not exist"):
        open_engine(tmp_path / "nowhere")
    with pytest.raises(WavestepError, match="is not a model directory"):
        open_engine(tmp_path)
    (tmp_path / "step.onnx").write_bytes(b"")
    with pytest.raises(WavestepError, match=r"no manifest.json beside it"):
        open_engine(tmp_path / "step.onnx")
    only(ONNX)
    bare = write_model(tmp_path / "bare", CORNERS["plain"], precisions=())
    with pytest.raises(WavestepError, match=r"no step graph\); export it with wn-export .*bare$"):
        open_engine(bare)
    only(kind("quick", 1))
    with pytest.raises(WavestepError, match="none that is tried unasked is here; name one with"):
        open_engine(bare, precision="fp16")


def test_a_precision_that_was_not_exported_is_said_with_the_way_to_it(
    directory: Path, only: Callable[..., None]
) -> None:
    only(kind("quick", 1), ONNX)
    with pytest.raises(
        WavestepError,
        match=r"no engine can run .*model in fp16: onnx: .* has no fp16 step graph \(it has fp32\)"
        r"; export it with wn-export .*model --fp16$",
    ):
        open_engine(directory, precision="fp16")
