"""Presets, a file over them, and errors that name the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import strict
from wn_train import config


def test_presets_have_the_published_shapes() -> None:
    shapes = {
        name: (len(m.all_dilations), m.residual_channels, m.skip_channels)
        for name, m in config.PRESETS.items()
    }
    assert shapes["small"] == (20, 32, 128)
    assert shapes["medium"] == (20, 64, 128)
    assert shapes["paper"] == (30, 64, 256)
    assert config.PRESETS["paper"].all_dilations[9:11] == (512, 1)


def test_a_file_overrides_the_preset_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("name = 'x'\n[model]\nresidual_channels = 48\n[training]\nlearning_rate = 1\n")
    loaded = config.load("medium", path, {"training.steps": 7})
    model = loaded.model
    assert (model.residual_channels, model.skip_channels, model.layers) == (48, 128, 20)
    assert (loaded.training.learning_rate, loaded.training.steps) == (1.0, 7)


def test_the_head_is_a_table_whose_kind_names_it(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[model.output]\nkind = 'softmax'\nclasses = 64\n")
    loaded = config.load("small", path)
    assert loaded.model.output == Softmax(64)
    assert config.load("small", None).model.output == Softmax(256)
    assert strict.parse(config.Config, strict.plain(loaded), "a checkpoint's") == loaded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[model]\nresidual_chanels = 3\n",
            ["residual_chanels", "did you mean 'residual_channels'"],
        ),
        ("[modle]\nlayers = 3\n", ["modle", "did you mean 'model'"]),
        ("[model]\nlayers = '3'\n", ["layers", "expected int", "'3'"]),
        ("[training]\nprecision = 'fp61'\n", ["fp61", "fp32"]),
        ("[training]\nsteps = 0\n", ["steps is 0", "at least 1"]),
        ("[model]\ncycle = 3\n", ["cycle is 3", "power of two"]),
        ("[model.output]\nkind = 'sofmax'\n", ["output: kind 'sofmax'", "did you mean 'softmax'"]),
        ("[model.output]\nclasses = 64\n", ["output: key 'kind' is missing", "softmax"]),
        (
            "[model.output]\nkind = 'softmax'\nclases = 64\n",
            ["output: key 'clases' is unknown", "did you mean 'classes'"],
        ),
        ("[model]\noutput = 'softmax'\n", ["output: expected a table", "'softmax'"]),
        ("name = \n", ["cannot be read as TOML"]),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(WavestepError) as error:
        config.load("small", path)
    message = str(error.value)
    assert "\n" not in message.split("TOML:")[0]
    assert "c.toml" in message
    for word in words:
        assert word in message


def test_an_unknown_preset_is_named_with_the_known_ones() -> None:
    with pytest.raises(WavestepError, match=r"'papr' is unknown; known are: tiny, small.*'paper'"):
        config.load("papr", None)


def test_an_absent_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="cannot be read as TOML"):
        config.load("small", tmp_path / "none.toml")
