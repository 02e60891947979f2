"""Presets, a file over them, and errors that name the key."""

import pytest

from wn_runtime.errors import WavestepError
from wn_train import config


def test_presets_have_the_published_shapes():
    shapes = {
        name: (len(m.all_dilations), m.residual, m.skip) for name, m in config.PRESETS.items()
    }
    assert shapes["small"] == (20, 32, 128)
    assert shapes["medium"] == (20, 64, 128)
    assert shapes["paper"] == (30, 64, 256)
    assert config.PRESETS["paper"].all_dilations[9:11] == (512, 1)


def test_a_file_overrides_the_preset_and_keeps_the_rest(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text("name = 'x'\n[model]\nresidual = 48\n[training]\nlearning_rate = 1\n")
    loaded = config.load("medium", path, {"training.steps": 7})
    assert (loaded.model.residual, loaded.model.skip, loaded.model.layers) == (48, 128, 20)
    assert (loaded.training.learning_rate, loaded.training.steps) == (1.0, 7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[model]\nresidul = 3\n", ["residul", "did you mean 'residual'"]),
        ("[modle]\nresidual = 3\n", ["modle", "did you mean 'model'"]),
        ("[model]\nresidual = '3'\n", ["residual", "expected int", "'3'"]),
        ("[training]\nprecision = 'fp61'\n", ["fp61", "fp32"]),
        ("[training]\nsteps = 0\n", ["steps is 0", "at least 1"]),
        ("[model]\ncycle = 3\n", ["cycle is 3", "power of two"]),
        ("name = \n", ["cannot be read as TOML"]),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(tmp_path, text, words):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(WavestepError) as error:
        config.load("small", path)
    message = str(error.value)
    assert "\n" not in message.split("TOML:")[0]
    assert "c.toml" in message
    for word in words:
        assert word in message


def test_an_unknown_preset_is_told_with_the_known_ones():
    with pytest.raises(WavestepError, match=r"'papr' is unknown; known are: tiny, small.*'paper'"):
        config.load("papr", None)


def test_an_absent_file_is_an_error_of_the_user(tmp_path):
    with pytest.raises(WavestepError, match="cannot be read as TOML"):
        config.load("small", tmp_path / "none.toml")
