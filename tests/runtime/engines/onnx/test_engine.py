"""The ONNX engine computes the model, for any shape and batch, and names a file at fault."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests import oracle
from tests.contract import verify_engine_contract
from tests.model_dir import write_model
from tests.specs import CORNERS, random_bias, random_samples, random_spec, random_weights
from wn_runtime.engines.engine import open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("corner", CORNERS)
def test_it_obeys_the_contract(tmp_path, corner, batch):
    spec = CORNERS[corner]
    engine = open_engine(write_model(tmp_path, spec, batch=batch), "onnx", batch=batch)
    verify_engine_contract(engine, random_weights(spec))


@pytest.mark.parametrize("seed", range(8))
def test_it_obeys_the_contract_for_any_shape(tmp_path, seed):
    spec = random_spec(seed)
    engine = open_engine(write_model(tmp_path, spec, seed=seed), "onnx")
    verify_engine_contract(engine, random_weights(spec, seed))


@pytest.mark.parametrize(("graph", "asked"), [(1, 3), (2, 3), (4, 3), (3, 1)])
def test_streams_that_do_not_fill_the_graph_run_all_the_same(tmp_path, graph, asked):
    spec = CORNERS["uneven"]
    engine = open_engine(write_model(tmp_path, spec, batch=graph), "onnx", batch=asked)
    assert engine.batch == asked
    verify_engine_contract(engine, random_weights(spec))


@pytest.mark.parametrize("corner", ["kernel_3", "uneven"])
def test_half_precision_stays_close_and_obeys_the_law(tmp_path, corner):
    spec = CORNERS[corner]
    engine = open_engine(write_model(tmp_path, spec, ("fp32", "fp16")), "onnx", "fp16", batch=2)
    assert engine.precision == "fp16"
    verify_engine_contract(engine, random_weights(spec), tolerance=2e-2)
    samples, bias = random_samples(spec, 40, 2), random_bias(spec, 2)
    engine.reset()
    found = engine.score(samples, bias)
    wanted = oracle.score(spec, random_weights(spec), samples, bias)
    assert 0 < np.abs(found - wanted).max() < 1e-2 * np.abs(wanted).max()


def test_a_state_goes_from_one_batch_layout_to_another(tmp_path):
    spec = CORNERS["kernel_3"]
    side_by_side = open_engine(write_model(tmp_path / "a", spec, batch=3), "onnx", batch=3)
    in_turn = open_engine(write_model(tmp_path / "b", spec, batch=1), "onnx", batch=3)
    samples, bias = random_samples(spec, 30, 3), random_bias(spec, 3)
    side_by_side.score(samples, bias)
    in_turn.restore(side_by_side.snapshot())
    assert np.allclose(in_turn.score(samples, bias), side_by_side.score(samples, bias), atol=1e-5)


def test_bias_of_another_shape_is_refused(tmp_path):
    engine = open_engine(write_model(tmp_path, CORNERS["one_condition"]), "onnx")
    uniforms = np.zeros((4, 1), np.float32)
    with pytest.raises(WavestepError, match="bias is None"):
        engine.generate(None, uniforms)
    with pytest.raises(WavestepError, match=r"bias is \(3, 3, 1, 16\)"):
        engine.generate(np.zeros((3, 3, 1, 16), np.float32), uniforms)
    plain = open_engine(write_model(tmp_path / "plain", CORNERS["plain"]), "onnx")
    with pytest.raises(WavestepError, match="no conditions"):
        plain.generate(np.zeros((1, 3, 1, 16), np.float32), uniforms)


def test_a_state_of_another_model_is_refused(tmp_path):
    one = open_engine(write_model(tmp_path / "a", CORNERS["plain"]), "onnx")
    other = open_engine(write_model(tmp_path / "b", CORNERS["kernel_3"]), "onnx")
    with pytest.raises(WavestepError, match="the state has samples"):
        one.restore(other.snapshot())


def test_a_changed_or_truncated_graph_is_named(tmp_path):
    directory = write_model(tmp_path, CORNERS["plain"])
    graph = directory / "step.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(whole[:-7])
    with pytest.raises(WavestepError, match=r"step.onnx has \d+ bytes.*truncated or changed"):
        open_engine(directory, "onnx")
    graph.write_bytes(whole[:-7] + b"tamper!")
    with pytest.raises(WavestepError, match=r"step.onnx is not the file .*sha256"):
        open_engine(directory, "onnx")
    graph.unlink()
    with pytest.raises(WavestepError, match=r"step.onnx cannot be read"):
        open_engine(directory, "onnx")


def replaced(directory, name, data):
    """Put `data` in place of a file, with a manifest that vouches for it."""
    (directory / name).write_bytes(data)
    path = directory / manifests.MANIFEST
    manifest = json.loads(path.read_text())
    record = manifests.record(directory / name)
    manifest["files"][name] = {"sha256": record.sha256, "bytes": record.bytes}
    path.write_text(json.dumps(manifest))


def test_what_is_not_a_graph_is_one_line(tmp_path):
    directory = write_model(tmp_path, CORNERS["plain"])
    replaced(directory, "step.onnx", b"not a graph")
    with pytest.raises(WavestepError, match=r"ONNX Runtime .* cannot load") as caught:
        open_engine(directory, "onnx")
    assert "\n" not in str(caught.value)


def test_another_models_graph_is_refused_before_it_runs(tmp_path):
    directory = write_model(tmp_path / "a", CORNERS["plain"])
    other = write_model(tmp_path / "b", CORNERS["kernel_3"])
    replaced(directory, "step.onnx", (other / "step.onnx").read_bytes())
    with pytest.raises(WavestepError, match="this model's step graph has"):
        open_engine(directory, "onnx")


def test_a_graph_with_an_input_too_many_is_refused(tmp_path):
    directory = write_model(tmp_path, CORNERS["plain"])
    graph = onnx.load(directory / "step.onnx")
    graph.graph.input.append(onnx.helper.make_tensor_value_info("extra", 1, [1]))
    replaced(directory, "step.onnx", graph.SerializeToString())
    with pytest.raises(WavestepError, match=r"extra is .*no such"):
        open_engine(directory, "onnx")


def test_a_precision_that_was_not_exported_names_the_way_to_it(tmp_path):
    directory = write_model(tmp_path, CORNERS["plain"])
    with pytest.raises(WavestepError, match=r"no fp16 step graph \(it has fp32\).*--fp16"):
        open_engine(directory, "onnx", "fp16")


def test_a_graph_of_many_samples_a_call_is_left_to_other_hosts(tmp_path):
    directory = write_model(tmp_path, CORNERS["plain"])
    path = directory / manifests.MANIFEST
    manifest = json.loads(path.read_text())
    manifest["artifacts"][0]["steps_per_call"] = 8
    path.write_text(json.dumps(manifest))
    with pytest.raises(WavestepError, match=r"step.onnx makes 8 samples a call"):
        open_engine(directory / "step.onnx")
    with pytest.raises(WavestepError, match="no fp32 step graph"):
        open_engine(directory, "onnx")


def test_without_the_cuda_provider_onnx_cuda_is_an_error_and_no_fallback(tmp_path):
    ort = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("the CUDA provider is here")
    with pytest.raises(WavestepError, match="CUDAExecutionProvider"):
        open_engine(write_model(tmp_path, CORNERS["plain"]), "onnx-cuda")
