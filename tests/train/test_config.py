"""Presets, a file over them, and errors that name the key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wn_runtime.errors import WavestepError
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import strict
from wn_train import config, toml


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
        ("[training]\nsteps = 0\n", ["training: steps is 0", "it must be 1 to"]),
        ("[model]\ncycle = 3\n", ["cycle is 3", "power of two"]),
        ("[model.output]\nkind = 'sofmax'\n", ["output: kind 'sofmax'", "did you mean 'softmax'"]),
        ("[model.output]\nclasses = 64\n", ["output: key 'kind' is missing", "softmax"]),
        (
            "[model.output]\nkind = 'softmax'\nclases = 64\n",
            ["output: key 'clases' is unknown", "did you mean 'classes'"],
        ),
        ("[model]\noutput = 'softmax'\n", ["output: expected a table", "'softmax'"]),
        ("name = \n", ["cannot be read as TOML"]),
        ("name = '../x'\n", ["name '../x' holds a path separator"]),
        ('name = "a\\u001b[2J"\n', ["holds control characters"]),
        ("[model]\nkernel = 1\n", ["model: kernel is 1; it must be 2 to"]),
        ("[model]\ninput_kernel = 0\n", ["model: input_kernel is 0"]),
        ("[model]\nresidual_channels = -1\n", ["model: residual_channels is -1"]),
        ("[model]\ngate_channels = 7\n", ["model: gate_channels is 7; it must be even"]),
        ("[model]\nhead_channels = 1_000_000\n", ["model: head_channels is 1000000"]),
        ("[model]\nlayers = 0\n", ["model: layers is 0; it must be 1 to"]),
        ("[model]\nlayers = 1_000_000_000\n", ["model: layers is 1000000000"]),
        ("[model]\ncycle = 0\n", ["model: cycle is 0; it must be 1 to"]),
        ("[model]\ncycle = 4611686018427387904\n", ["model: cycle is 4611686018427387904"]),
        ("[model]\ndilations = [0]\n", ["model: dilations are from 0 to 0"]),
        ("[model]\ndilations = [16777216]\nkernel = 256\n", ["model: its delay lines hold"]),
        ("[model]\nresidual_scale = nan\n", ["model: residual_scale: nan is no finite"]),
        ("[model.output]\nkind = 'softmax'\nclasses = 1\n", ["model: output: classes is 1"]),
        ("[data]\nsample_rate = -8000\n", ["data: sample_rate is -8000; it must be 0 to"]),
        ("[data]\nchunk_seconds = 0\n", ["data: chunk_seconds is 0.0; it must be 0.001 to"]),
        ("[data]\nchunk_seconds = 1e300\n", ["data: chunk_seconds is 1e+300"]),
        ("[data]\ntail_seconds = 1e9\n", ["data: tail_seconds is 1000000000.0"]),
        ("[data]\nlong_tail_seconds = -1\n", ["data: long_tail_seconds is -1"]),
        (
            "[data]\ncondition_dropout = 1.5\n",
            ["data: condition_dropout is 1.5; it must be 0 to 1"],
        ),
        ("[data]\nconditions = ['a', 'a']\n", ["data: conditions has a column twice"]),
        ("[training]\nseed = -1\n", ["training: seed is -1; it must be 0 to"]),
        ("[training]\nseed = 9223372036854775808\n", ["training: seed: 9223372036854775808"]),
        ("[training]\nlearning_rate = 0\n", ["training: learning_rate is 0.0"]),
        ("[training]\nlearning_rate = inf\n", ["training: learning_rate: inf is no finite"]),
        ("[training]\nweight_decay = -1\n", ["training: weight_decay is -1"]),
        ("[training]\nwarmup_steps = -1\n", ["training: warmup_steps is -1"]),
        ("[training]\nfinal_rate = 2\n", ["training: final_rate is 2.0; it must be 0 to 1"]),
        ("[training]\nclip_norm = 0\n", ["training: clip_norm is 0.0"]),
        ("[training]\nema_decay = 1\n", ["training: ema_decay is 1.0"]),
        ("[training]\naccumulate = 0\n", ["training: accumulate is 0; it must be 1 to"]),
        ("[training]\nbatch_samples = 0\n", ["training: batch_samples is 0"]),
        ("[training]\nvalidate_every = 0\n", ["training: validate_every is 0"]),
        ("[training]\nsample_every = -1\n", ["training: sample_every is -1"]),
        ("[training]\nsample_seconds = 1e9\n", ["training: sample_seconds is 1000000000.0"]),
        ("name = 1979-05-27\n", ["name: expected str"]),
        ("name = '\x00'\n", ["cannot be read as TOML"]),
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
    assert "\n" not in message
    assert "c.toml" in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"[training]\nseed = {'9' * 5000}\n", "Exceeds the limit"),
        (f"name = {'[' * 20_000}\n", "nested too deeply"),
        (f"name = {'{a=' * 5_000}\n", "nested too deeply"),
        (f"{'a.' * 20_000}a = 1\n", "a line holds over 200 dots"),
        (" " * (toml.MOST_BYTES + 1), "it has 65537 bytes"),
    ],
    ids=["long number", "lists", "tables", "dots", "long file"],
)
def test_a_file_made_to_keep_the_parser_busy_is_refused_at_once(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(WavestepError, match=f"cannot be read as TOML: {reason}"):
        config.load("small", tmp_path / "c.toml")


def test_an_unknown_preset_is_named_with_the_known_ones() -> None:
    with pytest.raises(WavestepError, match=r"'papr' is unknown; known are: tiny, small.*'paper'"):
        config.load("papr", None)


def test_what_is_no_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "latin.toml").write_bytes("name = 'jörg'".encode("latin-1"))
    for path, reason in (
        (tmp_path / "none.toml", "No such file"),
        (tmp_path / "pipe.toml", "it is a named pipe"),
        (tmp_path / "latin.toml", "can't decode byte"),
        (tmp_path, "directory"),
        (Path("/dev/zero"), "it is a device"),
    ):
        with pytest.raises(WavestepError, match=f"cannot be read as TOML.*{reason}"):
            config.load("small", path)


def test_a_folder_that_no_model_can_be_called_after_asks_for_a_name() -> None:
    settings = config.load("tiny", None)
    assert config.with_name(settings, "digits").name == "digits"
    for name in ("", "a\nb", "a\udcffb", "x" * 300):
        with pytest.raises(WavestepError, match="set name in a configuration, or give another -o"):
            config.with_name(settings, name)


def test_every_preset_and_the_shipped_configuration_are_in_range() -> None:
    for preset in config.PRESETS:
        config.load(preset, None)
    example = Path(__file__).parents[2] / "examples" / "digits.toml"
    assert config.load("small", example).name == "digits"
