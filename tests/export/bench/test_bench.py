"""wn-bench measures every engine that is here, and says what each row means."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.image import imread

from tests.export.checkpoints import random_wavenet, write_checkpoint
from tests.model_dir import write_model
from tests.specs import CORNERS, PLAIN, random_samples, random_weights
from wn_export.bench import run as bench_run
from wn_export.bench.first_audio import FirstAudio
from wn_export.bench.measure import Row
from wn_export.bench.plot import draw, write_plot
from wn_export.bench.pytorch import Incremental, Window
from wn_export.commands import bench as bench_cli
from wn_export.parity import pytorch, reference
from wn_export.parity.reference import Answer, Excerpt, FreeRun, Reference, surprise
from wn_runtime.engines.engine import open_engine
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import ParityRow
from wn_runtime.synthesis.sampling import Uniforms

KEYS = [
    "engine", "precision", "batch", "threads", "samples_per_second", "us_median", "us_p99",
    "real_time_factor", "first_audio_ms", "delta_bits",
]  # fmt: skip
ROWS = [
    Row("native", "int8", 1, 1, 90000, 11, 15, 11.0, 20, 0.001),
    Row("onnx", "fp32", 1, 1, 6000, 166, 200, 0.75, 400, 0.0),
]
FACTS = {"cpu": "a CPU", "architecture": "x", "cores": 2, "cores_allowed": 1, "load": [0, 0, 0]}


@pytest.fixture(autouse=True)
def no_processes(monkeypatch, request):
    """Cold starts are slow; one test has them for real."""
    if "cold_start" not in request.fixturenames:
        monkeypatch.setattr(bench_run, "first_audio", lambda *args: FirstAudio(12.0, 60.0))


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "voice", CORNERS["two_conditions"], precisions=("fp32", "fp16"))


def run(*arguments, code=0):
    result = CliRunner().invoke(bench_cli.main, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result


def test_json_has_exactly_the_promised_keys_beside_a_header(model, tmp_path):
    run(model, "--seconds", "0.01", "--json", tmp_path / "bench.json")
    data = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert all(list(row) == KEYS for row in data["rows"])
    assert data["header"]["machine"]["cores"] >= 1
    assert data["header"]["model"] == "voice"
    assert len(data["header"]["memory_mb"]) == len(data["rows"])
    measured = {(row["engine"], row["precision"]) for row in data["rows"]}
    assert measured >= {("onnx", "fp32"), ("onnx", "fp16")}
    for row in data["rows"]:
        assert row["real_time_factor"] == pytest.approx(1e6 / row["us_median"] / 8000)
        assert row["samples_per_second"] == pytest.approx(1e6 / row["us_median"])
        assert row["us_p99"] >= row["us_median"] > 0
        assert row["first_audio_ms"] == 12.0


def test_the_table_has_ratios_and_names_what_is_not_here(model):
    text = run(model, "--seconds", "0.01").stdout
    assert "× slowest" in text
    assert "real time" in text
    assert "not here: onnx-cuda fp32, fp16: ONNX Runtime here has no CUDA" in text
    slowest = [
        line for line in text.splitlines() if line.split()[-2:] in (["1", "yes"], ["1", "no"])
    ]
    assert len(slowest) == 1


@pytest.mark.parametrize(("share", "warned"), [(0.4, True), (0.99, False)])
def test_a_shared_core_is_warned_of(share, warned):
    found = bench_run.Bench("v", 8000, tuple(ROWS), (None, None), (1.0, share), (), FACTS, 1.0)
    assert ("40% of it" in bench_cli.text(found)) is warned


def test_a_row_in_real_time_with_late_blocks_is_named():
    rows = (dataclasses.replace(ROWS[0], us_p99=126), ROWS[1])  # 8 kHz: 125 µs are left
    found = bench_run.Bench("v", 8000, rows, (None, None), (1.0, 1.0), (), FACTS, 1.0)
    assert "late: over 1 in 100 blocks of native int8 took" in bench_cli.text(found)
    steady = dataclasses.replace(found, rows=tuple(ROWS))
    assert "late:" not in bench_cli.text(steady)


def test_each_batch_is_a_row_and_counts_all_its_streams(model):
    found = bench_run.run(model, 0.01, batches=[1, 3], threads=1)
    by_batch = {row.batch: row for row in found.rows if row.engine == "onnx"}
    assert by_batch.keys() == {1, 3}
    for row in found.rows:
        assert row.samples_per_second == pytest.approx(row.batch * 1e6 / row.us_median)
    assert by_batch[3].first_audio_ms is None  # wn-run writes files then, one a stream
    assert by_batch[1].first_audio_ms is not None


def test_a_batch_that_an_engine_cannot_take_is_said_and_the_rest_measured(model, monkeypatch):
    def narrow(directory, engine, precision, batch, threads):
        if batch > 1:
            raise WavestepError("step.onnx is built for 1 stream")
        return open_engine(directory, engine, precision)

    monkeypatch.setattr(bench_run, "open_engine", narrow)
    found = bench_run.run(model, 0.01, batches=[1, 8], threads=1)
    assert {row.batch for row in found.rows} == {1}
    reasons = {(one.engine, one.precision): one.reason for one in found.missing}
    assert reasons["onnx", "fp32"] == "8 streams: step.onnx is built for 1 stream"
    assert "CUDAExecutionProvider" in reasons["onnx-cuda", "fp32"]  # the first reason stands


def test_delta_bits_come_from_parity_where_it_was_proven(model):
    proven = ParityRow("onnx", "fp16", 1e-3, 1e-4, 0.00321, 100, None, None, True)
    manifest = manifests.read(model)
    manifests.write(model, dataclasses.replace(manifest, parity=(proven,)))
    found = bench_run.run(model, 0.01, [1], 1)
    bits = {(row.engine, row.precision): row.delta_bits for row in found.rows}
    assert bits["onnx", "fp16"] == 0.00321
    assert bits["onnx", "fp32"] is None  # neither parity nor a reference


def test_delta_bits_are_measured_where_only_a_reference_is(model):
    engine = open_engine(model, engine="onnx", precision="fp32")
    spec = engine.spec
    codes = random_samples(spec, 60, 1)
    bias = np.zeros((1, spec.layers, 1, spec.gate), np.float32)
    logits = engine.score(codes, bias)[:, 0]
    engine.close()
    worse_by_one_bit = surprise(logits, codes[:, 0]) - 1
    answer = Answer(worse_by_one_bit, np.arange(60), logits)
    free = FreeRun({}, 0, codes[:, 0])
    made = Reference("test", (Excerpt(codes[:, 0], {}),), (answer,), free)
    reference.save(model / manifests.REFERENCE, made)
    found = bench_run.run(model, 0.01, [1], 1)
    bits = {(row.engine, row.precision): row.delta_bits for row in found.rows}
    assert bits["onnx", "fp32"] == pytest.approx(1, abs=1e-4)


def test_a_changed_file_stops_the_bench(model):
    (model / "step.fp16.onnx").write_bytes(b"changed")
    assert "step.fp16.onnx" in run(model, "--seconds", "0.01", code=2).stderr


def test_pytorch_rows_stand_beside_the_engines(tmp_path):
    spec = CORNERS["one_condition"]
    checkpoint = write_checkpoint(tmp_path / "voice.pt", spec)
    model = write_model(tmp_path / "voice", spec)
    text = run(model, "--seconds", "0.01", "--checkpoint", checkpoint).stdout
    assert "pytorch-window" in text
    assert "× PyTorch" in text


def test_pytorchs_two_ways_make_the_models_samples():
    trained = random_trained()
    spec = trained.model.spec
    field = spec.receptive_field
    uniforms = Uniforms(1, 1).draw(field + 40)
    expected = pytorch.step_by_step(trained.model, {}, uniforms)
    first, second = Incremental(trained, uniforms[:field]), uniforms[field:]
    codes = first()[:, 0]
    np.testing.assert_array_equal(codes, expected[:field])
    window = Window(trained, second, heard=codes)
    np.testing.assert_array_equal(window()[:, 0], expected[field:])


def test_incremental_pytorch_keeps_its_state_between_blocks():
    trained = random_trained()
    uniforms = np.tile(Uniforms(1, 1).draw(10), (3, 1))
    expected = pytorch.step_by_step(trained.model, {}, uniforms)
    block = Incremental(trained, uniforms[:10])
    made = np.concatenate([block()[:, 0] for _ in range(3)])
    np.testing.assert_array_equal(made, expected)


def random_trained():
    return pytorch.Trained("x", random_wavenet(PLAIN), random_weights(PLAIN), {}, ())


def test_a_checkpoint_of_another_model_is_refused(tmp_path, model):
    other = write_checkpoint(tmp_path / "other.pt", PLAIN)
    result = run(model, "--seconds", "0.01", "--checkpoint", other, code=2)
    assert "another model" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plot", "bench.txt"], ".png"),
        (["--seconds", "0"], "seconds"),
        (["--batch", "0"], "batch"),
        (["--checkpoint", "missing.pt"], "missing.pt"),
        (["--json", "/no/such/folder/bench.json"], "no directory /no/such/folder; make it first"),
        (["--plot", "/no/such/folder/bench.png"], "no directory /no/such/folder; make it first"),
    ],
)
def test_a_mistake_is_one_line(model, arguments, words):
    result = run(model, *arguments, code=2)
    assert words in result.stderr
    assert not result.stdout, "found before the measurement, not after it"
    assert result.stderr.strip().splitlines()[-1].startswith("error: ")


def test_a_failed_write_leaves_the_old_file(model, tmp_path, monkeypatch):
    target = tmp_path / "bench.json"
    target.write_text("old")
    monkeypatch.setattr(bench_cli.Path, "replace", broken_disk)
    run(model, "--seconds", "0.01", "--json", target, code=2)
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"voice", "bench.json"}


def broken_disk(self, target):
    raise OSError(28, "No space left on device", str(target))


def test_json_to_stdout_leaves_nothing_else_there(model):
    result = run(model, "--seconds", "0.01", "--json", "-")
    assert json.loads(result.stdout)["rows"]
    assert "samples/s" in result.stderr


def test_the_plot_shows_every_row_and_where_real_time_is(tmp_path):
    figure = draw(ROWS, 8000, "voice on a CPU")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["onnx fp32", "native int8"]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == pytest.approx([6000, 88000])
    assert axes.get_xscale() == "log"
    assert list(axes.lines[0].get_xdata()) == [8000, 8000]
    slow, fast = (bar.get_facecolor() for bar in axes.patches)
    assert slow != fast
    write_plot(tmp_path / "bench.png", ROWS, 8000, "voice on a CPU")
    picture = imread(tmp_path / "bench.png")
    assert picture.shape[1] > 1000
    assert picture[..., :3].std() > 0
    assert [p.name for p in tmp_path.iterdir()] == ["bench.png"]


def test_no_engine_at_all_is_an_error(model, monkeypatch):
    def none(*args, **settings):
        raise WavestepError("nothing here")

    monkeypatch.setattr(bench_run, "open_engine", none)
    assert "nothing here" in run(model, code=2).stderr


def test_a_cold_start_of_wn_run_is_timed(cold_start, model):
    from wn_export.bench.first_audio import first_audio

    found = first_audio(model, "onnx", "fp32", threads=1, tries=1)
    assert found.ms > 0
    assert found.memory_mb is None or found.memory_mb > 10
    with pytest.raises(WavestepError, match=r"makes no sound: error: .*int8"):
        first_audio(model, "onnx", "int8", threads=1, tries=1)


def test_a_cold_start_that_fails_is_said_in_the_report(model, monkeypatch):
    def silent(*args):
        raise WavestepError("wn-run makes no sound: error: full disk")

    monkeypatch.setattr(bench_run, "first_audio", silent)
    result = run(model, "--seconds", "0.01")
    said = "note: onnx fp32, fp16: first audio: wn-run makes no sound: error: full disk"
    assert said in result.stdout.splitlines()


@pytest.fixture
def cold_start():
    """Asked for by tests that start processes."""
