"""Opening a generator graph: a stranger's is told apart before it runs, or ended while it does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, PLAIN, random_samples, random_uniforms
from wn_runtime.engines import registry
from wn_runtime.engines.choice import by_speed, open_engine
from wn_runtime.engines.onnx import watch
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage

FILE = "generator.onnx"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", PLAIN, generator=True)


def replaced(directory: Path, graph: onnx.ModelProto | bytes) -> None:
    """Put a graph in place of the generator, with a manifest that vouches for it."""
    data = graph if isinstance(graph, bytes) else graph.SerializeToString()
    (directory / FILE).write_bytes(data)
    manifest = manifests.read(directory)
    manifests.write(directory, manifests.with_file(manifest, directory / FILE))


def test_a_changed_or_truncated_graph_is_named(directory: Path) -> None:
    path = directory / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with pytest.raises(WavestepError, match=r"generator.onnx has \d+ bytes.*truncated or changed"):
        open_engine(directory, "generator")
    path.write_bytes(whole[:-7] + b"tamper!")
    with pytest.raises(WavestepError, match=r"generator.onnx is not the file .*sha256"):
        open_engine(directory, "generator")
    path.unlink()
    with pytest.raises(WavestepError, match=r"generator.onnx cannot be read"):
        open_engine(path.parent, "generator")


@pytest.mark.parametrize("end", [100, 5000, -1])
def test_a_graph_that_was_cut_short_is_one_line(directory: Path, end: int) -> None:
    replaced(directory, (directory / FILE).read_bytes()[:end])
    with pytest.raises(WavestepError, match="export the model again") as caught:
        open_engine(directory, "generator")
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, EngineUnavailable)


def test_another_models_graph_is_refused_before_it_runs(tmp_path: Path, directory: Path) -> None:
    other = write_model(tmp_path / "other", CORNERS["kernel_3"], generator=True)
    replaced(directory, (other / FILE).read_bytes())
    with pytest.raises(WavestepError, match=r"generator.onnx: input bias is float32"):
        open_engine(directory, "generator")
    replaced(directory, (directory / "step.onnx").read_bytes())
    with pytest.raises(WavestepError, match="input known is absent, this model has int32"):
        open_engine(directory, "generator")


def test_a_directory_without_one_says_how_to_get_it(tmp_path: Path) -> None:
    directory = write_model(tmp_path, PLAIN)
    way = f"; export it with wn-export {re.escape(str(directory))} --generator$"
    with pytest.raises(EngineUnavailable, match=f"no fp32 generator graph .*{way}"):
        open_engine(directory, "generator")


def test_it_is_taken_by_name_only(directory: Path) -> None:
    assert registry.find("generator") not in by_speed(ModelPackage(directory), None, 1, None)
    assert open_engine(directory / FILE).name == "generator"
    with pytest.raises(WavestepError, match="is for the generator engine, not for onnx"):
        open_engine(directory / FILE, "onnx")


def test_a_graph_that_never_ends_is_ended(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop in front of it that goes on as long as it may."""
    monkeypatch.setattr(watch, "SLACK_S", 0.2)
    monkeypatch.setattr(watch, "EVERY_S", 0.05)
    values: dict[str, tuple[int, list[int]]] = {
        "i": (TensorProto.INT64, []),
        "go": (TensorProto.BOOL, []),
    }
    values |= {"v": (TensorProto.DOUBLE, [1])}
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["v"], ["w"])],
        "body",
        [helper.make_tensor_value_info(name, *value) for name, value in values.items()],
        [helper.make_tensor_value_info(n, *values[v]) for n, v in (("on", "go"), ("w", "v"))],
    )
    graph = onnx.load(directory / FILE)
    first = next(node for node in graph.graph.node if node.input[0] == "temperature")
    first.input[0] = "late"
    endless = helper.make_node("Loop", ["", "", "temperature"], ["late"], body=body)
    graph.graph.node.insert(0, endless)
    replaced(directory, graph)
    engine = open_engine(directory, "generator")
    before = engine.snapshot()
    for call in (
        lambda: engine.generate(None, random_uniforms(1)),
        lambda: engine.score(random_samples(PLAIN, 1, 1), None),
    ):
        with pytest.raises(WavestepError, match=r"had not ended after .* it is another graph"):
            call()
    assert all((before[name] == array).all() for name, array in engine.snapshot().items())


def test_a_batch_that_it_is_not_for_is_told_from_the_record(directory: Path) -> None:
    manifest = manifests.read(directory)
    (step, generator) = manifest.artifacts
    wrong = dataclasses.replace(generator, batch=2)
    manifests.write(directory, dataclasses.replace(manifest, artifacts=(step, wrong)))
    with pytest.raises(WavestepError, match=r"input known is int32 \(known, 1\), this model"):
        open_engine(directory, "generator")
