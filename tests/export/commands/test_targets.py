"""`wn-targets fit` of what is only planned: the configuration of a training run."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wn_export.commands.targets import main


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def error_of(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


def asked(*arguments: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(run("fit", *arguments, "orin-nano-8gb", "--json"))
    return found


def test_a_configuration_is_predicted_as_the_model_it_would_train(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[model]\nlayers = 30\nresidual_channels = 64\nskip_channels = 256\n")
    assert asked(path) == {**asked("paper"), "model": "mine"}
    said = f"16 kHz is assumed, as {path} leaves it to the recordings; --rate HZ for another\n"
    assert said in run("fit", path, "orin-nano-8gb")
    assert "is assumed" not in run("fit", path, "orin-nano-8gb", "--rate", "16000")
    path.write_text(path.read_text() + "[data]\nsample_rate = 8000\n[training]\nsteps = 5\n")
    assert asked(path) == {**asked("paper", "--rate", "8000"), "model": "mine"}
    assert asked(path, "--rate", "16000") == {
        **asked("paper", "--rate", "16000"),
        "model": "mine",
    }
    assert asked("tiny")["model"] == "tiny"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[model]\nlayrs = 3\n", "mine.toml: .*did you mean 'layers'"),
        ("[model\n", "mine.toml cannot be read as TOML"),
        ("[model]\ncycle = 3\n", "cycle is 3; it must be a power of two"),
        ('[training]\ninit = "a.pt"\ninit_network = true\n', "takes its network from a.pt; run wn"),
    ],
)
def test_a_configuration_that_is_none_is_one_line(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(AssertionError, match=fault):
        raise AssertionError(error_of("fit", path))
    assert "missing.toml cannot be read" in error_of("fit", tmp_path / "missing.toml")


def test_a_python_that_cannot_read_toml_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("wn_train.config", raising=False)
    monkeypatch.setitem(sys.modules, "wn_train.config", None)
    said = error_of("fit", tmp_path / "mine.toml")
    assert "TOML needs tomli; " in said
    assert "pip install" in said
