"""`wn-targets` lists, shows and predicts, and says what it does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.models.specs import PLAIN
from wn_runtime.model import manifest
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import FORMAT, Manifest
from wn_targets.commands.targets import main
from wn_targets.devices.catalogue import TARGETS


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A directory with just enough to be asked about: predictions read the manifest only."""
    directory = tmp_path / "voice"
    directory.mkdir()
    described = Manifest(
        format=FORMAT,
        name="voice",
        spec=PLAIN,
        files={},
        default_precision={"native": "fp32"},
        state=layout(PLAIN),
    )
    manifest.write(directory, described)
    return directory


def test_the_list_has_every_target_and_marks_unconfirmed_figures() -> None:
    text = run()
    assert all(f"\n{name} " in text for name in TARGETS)
    nano = next(line for line in text.splitlines() if line.startswith("nano "))
    assert " 256? " in nano
    assert " 921 " in nano


def test_the_list_as_json_has_sources_and_jetpacks() -> None:
    listed = {target["name"]: target for target in json.loads(run("--json"))}
    assert listed.keys() == TARGETS.keys()
    assert listed["thor-t5000"]["gpu"]["sources"]["l2_kib"]
    assert listed["orin-nano-8gb"]["jetpacks"][-1]["cuda"] == "13.2"


@pytest.mark.parametrize("words", [("show", "nano"), ("fit", "tiny", "nano")])
def test_json_may_stand_before_what_is_asked(words: tuple[str, ...]) -> None:
    assert json.loads(run("--json", *words)) == json.loads(run(*words, "--json"))


def test_show_prints_a_source_or_unconfirmed_for_every_figure() -> None:
    text = run("show", "orin-nano-8gb")
    lines = text.splitlines()
    clock = next(line for line in lines if line.startswith("gpu") and "clock_mhz" in line)
    assert "1020 MHz" in clock
    assert "datasheet" in clock
    assert "unconfirmed" in next(line for line in lines if "core_dram_gbps" in line)
    assert "on the device: wn-run MODEL/" in text


def test_the_last_line_is_what_to_do_next(model: Path, tmp_path: Path) -> None:
    def following(*arguments: str | Path) -> str:
        return run(*arguments).splitlines()[-1]

    assert following() == "next     wn-targets fit MODEL"
    assert following("show", "nano") == "next     wn-export CKPT --target nano"
    assert following("fit", "tiny") == "next     wn-train DATA -o RUN --preset tiny"
    assert following("fit", model, "t4") == f"next     wn-export {model} --target t4"
    assert following("fit", model, "t4", "nano") == f"next     wn-export {model} --target TARGET"
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(PLAIN.to_dict()))
    assert "next  " not in following("fit", path), "whatever it is the spec of"


def test_fit_calls_itself_a_prediction_and_covers_every_target() -> None:
    text = run("fit", "paper")
    assert "PREDICTED" in text
    assert "not measurements" in text
    assert all(f"\n{name} " in text for name in TARGETS)


def test_fit_reads_a_model_directory_or_a_file_in_it(model: Path) -> None:
    data = json.loads(run("fit", model, "cortex-a76", "--json"))
    assert data["kind"] == "prediction"
    assert (data["model"], data["sample_rate"]) == ("voice", 8000)
    candidates = data["targets"][0]["candidates"]
    assert {c["precision"] for c in candidates if c["engine"] == "native"} == {"fp32"}
    assert all(c["real_time"] == (c["real_time_factor"] >= 1 and c["fits"]) for c in candidates)
    assert json.loads(run("fit", model / "manifest.json", "cortex-a76", "--json")) == data


def test_fit_reads_a_spec_and_takes_another_rate(tmp_path: Path) -> None:
    path = tmp_path / "wide.json"
    path.write_text(json.dumps(PLAIN.to_dict()))
    slow = json.loads(run("fit", path, "nano", "--json"))["targets"][0]["candidates"][0]
    fast = json.loads(run("fit", path, "nano", "--rate", "16000", "--json"))
    assert fast["targets"][0]["candidates"][0]["real_time_factor"] == pytest.approx(
        slow["real_time_factor"] / 2, rel=1e-3
    )


def test_fit_of_one_device_says_from_how_many_streams_its_gpu_is_the_one() -> None:
    assert "orin-nano-8gb: the GPU for any number of streams" in run(
        "fit", "paper", "orin-nano-8gb"
    )
    data = json.loads(run("fit", "tiny", "orin-nano-8gb", "--json"))
    count = data["targets"][0]["gpu_from_streams"]
    assert count > 1
    text = run("fit", "tiny", "orin-nano-8gb")
    line = f"orin-nano-8gb: the GPU from {count} streams on, the CPU for fewer"
    assert line in text
    assert line in (Path(__file__).parents[3] / "docs" / "targets.md").read_text("utf-8")
    assert "cortex-a76: the CPU for any number" in run("fit", "tiny", "cortex-a76")
    assert "streams on" not in run("fit", "tiny")
    assert "number of streams" not in run("fit", "paper", "nano", "--streams", "65536")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "orin-nanoo-8gb"], "did you mean 'orin-nano-8gb'"),
        (["fit", "paper", "orin"], "did you mean 'orin-nano-4gb' or 'orin-nano-8gb' or"),
        (["fit", "papr"], "did you mean 'paper'"),
        (["fit", "best.pt"], "run `wn-export best.pt`"),
        (["fit", "paper", "--rate", "0"], "rate"),
        (["fit", "missing.json"], "missing.json"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_spec_with_a_typo_names_the_key(tmp_path: Path) -> None:
    path = tmp_path / "typo.json"
    path.write_text(json.dumps({**PLAIN.to_dict(), "residual_chanels": 3}))
    result = CliRunner().invoke(main, ["fit", str(path)])
    assert result.exit_code == 2
    assert "did you mean 'residual_channels'" in result.stderr


def test_the_table_fits_a_wide_terminal_and_has_its_units() -> None:
    lines = run().splitlines()
    assert max(map(len, lines)) <= 180
    assert "L2 KiB" in lines[0]
