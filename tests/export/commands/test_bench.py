"""wn-bench prints a row for each engine, writes it as JSON or draws it, and says what it means."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from click.testing import Result

from tests.export.checkpoints import write_checkpoint
from tests.export.commands import invoke
from tests.export.engines import engines
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS
from wn_export.bench import run as bench_run
from wn_export.bench.first_audio import FirstAudio
from wn_export.bench.measure import Row
from wn_export.bench.run import Bench
from wn_export.commands import bench
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests

KEYS = [
    *("engine", "precision", "batch", "threads", "samples_per_second", "us_median", "us_p99"),
    *("real_time_factor", "first_audio_ms", "delta_bits"),
]
ROWS = (
    Row("native", "int8", 1, 1, 90000, 11, 15, 11.0, 20, 0.001),
    Row("onnx", "fp32", 1, 1, 6000, 166, 200, 0.75, 400, 0.0),
)
FACTS = {"cpu": "a CPU", "architecture": "x", "cores": 2, "cores_allowed": 1, "load": [0, 0, 0]}
FOUND = Bench("voice", 8000, ROWS, (None, 60.0), (1.0, 1.0), (), FACTS, 1.0)


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Cold starts are slow, and what is measured here is for no other test."""
    monkeypatch.setattr(bench_run, "first_audio", lambda *given: FirstAudio(12.0, 60.0))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "voice", CORNERS["two_conditions"], ("fp32", "fp16"))


def run(*arguments: object) -> Result:
    result = invoke.run(bench.main, *arguments, "--seconds", "0.01")
    assert result.exit_code == 0, result.output
    return result


def test_json_has_exactly_the_promised_keys_beside_a_header(model: Path, tmp_path: Path) -> None:
    run(model, "--json", tmp_path / "bench.json")
    data = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert all(list(row) == KEYS for row in data["rows"])
    assert data["header"]["machine"]["cores"] >= 1
    assert data["header"]["model"] == "voice"
    assert len(data["header"]["memory_mb"]) == len(data["rows"])
    assert [(row["engine"], row["precision"]) for row in data["rows"]] == [
        ("onnx", "fp32"),
        ("onnx", "fp16"),
    ]
    for row in data["rows"]:
        assert row["real_time_factor"] == pytest.approx(1e6 / row["us_median"] / 8000)
        assert row["us_p99"] >= row["us_median"] > 0
        assert row["first_audio_ms"] == 12.0


def test_json_to_stdout_leaves_nothing_else_there(model: Path) -> None:
    result = run(model, "--json", "-")
    assert json.loads(result.stdout)["rows"]
    assert "samples/s" in result.stderr


def test_its_last_line_is_what_to_do_next(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "run_bench", lambda *given: FOUND)
    with engines("native", "onnx"):
        assert run(model).stdout.splitlines()[-1] == f"next     wn-run {model}"
    slow = tuple(dataclasses.replace(row, real_time_factor=0.5) for row in ROWS)
    beside = dataclasses.replace(ROWS[0], engine="pytorch")  # which wn-run has not
    found = dataclasses.replace(
        FOUND, rows=(*slow, beside), memory_mb=(None,) * 3, cpu_share=(1.0,) * 3
    )
    monkeypatch.setattr(bench, "run_bench", lambda *given: found)
    assert run(model).stdout.splitlines()[-1] == f"next     wn-targets fit {model}"
    for target in ("-", "/dev/stdout"):
        assert "next  " not in run(model, "--json", target).output


def test_the_table_has_ratios_to_the_slowest() -> None:
    title, head, native, onnx = bench.text(FOUND).splitlines()
    assert title == "voice: 8 kHz, on a CPU (1 of 2 cores, load 0)"
    assert head.split("  ")[-2:] == ["× slowest", "real time"]
    assert native.split()[-3:] == ["+0.0010", "15", "yes"]
    assert onnx.split()[-5:] == ["60", "MB", "+0.0000", "1", "no"]


def test_what_cannot_run_here_is_named_once_with_its_reason(model: Path) -> None:
    with engines("onnx", "onnx-cuda"):
        text = run(model).stdout
    if "onnx-cuda  fp32" in text:
        pytest.skip("ONNX Runtime has CUDA here")
    assert text.count("not here: onnx-cuda fp32, fp16: ONNX Runtime here has no CUDA") == 1


@pytest.mark.parametrize(("share", "warned"), [(0.4, True), (0.99, False)])
def test_a_shared_core_is_warned_of(share: float, warned: bool) -> None:
    found = dataclasses.replace(FOUND, cpu_share=(1.0, share))
    assert ("40% of it" in bench.text(found)) is warned


@pytest.mark.parametrize(("p99", "late"), [(15, False), (126, True)])
def test_a_row_in_real_time_with_late_blocks_is_named(p99: float, late: bool) -> None:
    rows = (dataclasses.replace(ROWS[0], us_p99=p99), ROWS[1])  # 8 kHz: 125 µs are left
    text = bench.text(dataclasses.replace(FOUND, rows=rows))
    assert ("late: over 1 in 100 blocks of native int8 took" in text) is late


def test_pytorch_rows_stand_beside_the_engines_and_are_what_these_are_held_to(
    tmp_path: Path,
) -> None:
    spec = CORNERS["one_condition"]
    checkpoint = write_checkpoint(tmp_path / "voice.pt", spec)
    text = run(write_model(tmp_path / "voice", spec), "--checkpoint", checkpoint).stdout
    assert "pytorch-window" in text
    assert "× PyTorch" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--plot", "bench.txt"], ".png"),
        (["--seconds", "0"], "seconds"),
        (["--seconds", "nan"], "'nan' is not over 0 and at most 3600"),
        (["--seconds", "inf"], "'inf' is not over 0 and at most 3600"),
        (["--seconds", "1e308"], "'1e308' is not over 0 and at most 3600"),
        (["--seconds", "9" * 5000], "is not over 0 and at most 3600"),
        (["--seconds", "²"], "'²' is not over 0 and at most 3600"),
        (["--batch", "0"], "batch"),
        (["--batch", str(10**9)], "batch"),
        (["--threads", str(10**5)], "threads"),
        ([word for b in range(1, 66) for word in ("--batch", str(b))], "65 different --batch"),
        (["--json", ""], "it is empty; name a file"),
        (["--json", "."], "it is a directory"),
        (["--plot", ""], "it is empty; name a file"),
        (["--plot", "/dev/null"], ".png"),
        (["--checkpoint", ""], "it is empty; name a file"),
        (["--checkpoint", "missing.pt"], "missing.pt"),
        (["--json", "/no/such/folder/bench.json"], "no directory /no/such/folder; make it first"),
        (["--plot", "/no/such/folder/bench.png"], "no directory /no/such/folder; make it first"),
    ],
)
def test_a_mistake_is_one_line_before_anything_is_measured(
    model: Path, arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_run, "measure", lambda *given: pytest.fail("it was measured"))
    result = invoke.run(bench.main, model, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("error: ")


def test_devices_and_links_are_written_through(model: Path, tmp_path: Path) -> None:
    for name in ("rows.json", "rows.png"):
        (tmp_path / f"to-{name}").symlink_to(name)
    run(model, "--json", tmp_path / "to-rows.json", "--plot", tmp_path / "to-rows.png")
    assert json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert (tmp_path / "rows.png").read_bytes().startswith(b"\x89PNG")
    assert all((tmp_path / f"to-{name}").is_symlink() for name in ("rows.json", "rows.png"))
    run(model, "--json", "/dev/null")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_a_file_of_the_model_is_not_replaced(
    model: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_run, "measure", lambda *given: pytest.fail("it was measured"))
    name = "weights.safetensors" if option == "--json" else "drawn.png"
    (model / name).write_text("{}")
    manifests.write(model, manifests.with_file(manifests.read(model), model / name))
    said = invoke.error_of(bench.main, model, option, model / name)
    assert "; give another name" in said


def test_rows_replace_no_checkpoint(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_run, "measure", lambda *given: pytest.fail("it was measured"))
    (tmp_path / "best.pt").write_bytes(b"PK")
    said = invoke.error_of(bench.main, model, "--json", tmp_path / "best.pt")
    assert said.endswith(
        "is there and is no report of this command; give another name, or delete it"
    )
    assert (tmp_path / "best.pt").read_bytes() == b"PK"


def test_rows_replace_their_like_and_no_report_of_parity(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "run_bench", lambda *given: FOUND)
    for _ in range(2):
        run(model, "--json", tmp_path / "bench.json")
    for name in ("report.json", "report.html"):  # of the model, here already or not
        (model / name).touch()
        assert "is a file of the model" in invoke.error_of(
            bench.main, model, "--json", model / name
        )
    (tmp_path / "report.json").write_text('{"passed": true, "reference": {}, "engines": []}')
    said = invoke.error_of(bench.main, model, "--json", tmp_path / "report.json")
    assert "is no report of this command" in said


def test_what_is_printed_is_text(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {**FACTS, "cpu": "\x1b[31mred\n\u202egnp", "device": "\x9b"}
    monkeypatch.setattr(bench_run, "machine_facts", lambda: facts)
    for arguments in ((), ("--json", "-"), ("--json", "/dev/stdout")):
        result = run(model, *arguments)
        printed = result.stdout + result.stderr
        assert printed.replace("\n", "").isprintable()


def test_a_failed_write_leaves_the_old_file(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> NoReturn:
        raise OSError(28, "No space left on device", str(target))

    target = tmp_path / "bench.json"
    old = json.dumps(FOUND.as_json())
    target.write_text(old)
    monkeypatch.setattr(Path, "replace", full)
    said = invoke.error_of(bench.main, model, "--seconds", "0.01", "--json", target)
    assert "No space left on device" in said.splitlines()[-1]
    assert target.read_text() == old
    assert {path.name for path in tmp_path.iterdir()} >= {"voice", "bench.json"}
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


def test_no_engine_at_all_is_an_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*given: Any) -> NoReturn:
        raise WavestepError("nothing here")

    monkeypatch.setattr(bench_run, "open_in", none)
    assert "no engine of" in invoke.error_of(bench.main, model)
