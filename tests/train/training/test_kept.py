"""config.toml in a run's folder: whole, as it was given, and free to be edited."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.anything import BRIEF
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.heads.registry import HEADS
from wn_runtime.model import strict
from wn_train import config, toml
from wn_train.conditioning.config import FramesConfig
from wn_train.config import Config, DataConfig, ModelConfig, TrainingConfig
from wn_train.training import kept

FULL = Config(
    name="voice",
    attribution='Her "data"\n\\ of 2024\t…',
    features=Features(8000, 80, 320, mel=20, pitch=True),
    model=ModelConfig(
        dilations=(1, 2, 4), frames=FramesConfig(hop=80, channels=22), residual_scale=0.5**0.5
    ),
    data=DataConfig(conditions=("speaker", "digit"), sample_rate=8000),
    training=TrainingConfig(warmup_steps=7, learning_rate=1e-9, seed=2**63 - 1, clip_norm=1e9),
)


def written(settings: Config, run: Path) -> Config:
    kept.write(run, settings, pytest.fail)
    return config.load("paper", run / "config.toml")


@pytest.mark.parametrize("settings", [Config(), FULL], ids=["defaults", "full"])
def test_it_comes_back_over_any_preset(settings: Config, tmp_path: Path) -> None:
    assert written(settings, tmp_path) == settings


@pytest.mark.parametrize("preset", config.PRESETS)
def test_presets_come_back(preset: str, tmp_path: Path) -> None:
    settings = Config(model=config.PRESETS[preset])
    assert written(settings, tmp_path) == settings


@pytest.mark.parametrize("kind", HEADS)
def test_every_head_comes_back(kind: str, tmp_path: Path) -> None:
    settings = Config(model=ModelConfig(output=HEADS[kind]()))
    assert written(settings, tmp_path) == settings


@pytest.mark.parametrize("conditions", [None, (), ("speaker",)])
def test_all_columns_and_none_are_two_things(
    conditions: tuple[str, ...] | None, tmp_path: Path
) -> None:
    settings = Config(data=DataConfig(conditions=conditions))
    assert written(settings, tmp_path) == settings


@BRIEF
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("run") / "c.toml"
    said = toml.text(strict.plain(Config(attribution=text)), kept.HEAD)
    path.write_bytes(said.encode())
    assert config.load("small", path).attribution == text


def test_every_key_is_in_it(tmp_path: Path) -> None:
    kept.write(tmp_path, Config(), pytest.fail)
    lines = (tmp_path / "config.toml").read_text().splitlines()
    names = {line.lstrip("# ").split(" =")[0].split(":")[0] for line in lines}
    tables = {line.strip("[]").split(".")[-1] for line in lines if line.startswith("[")}
    for part in (Config, ModelConfig, DataConfig, TrainingConfig):
        assert {field.name for field in dataclasses.fields(part)} <= names | tables


def test_what_says_the_same_is_left_as_somebody_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# mine\nname = "voice"\n')
    kept.write(tmp_path, Config(name="voice"), pytest.fail)
    assert path.read_text().startswith("# mine")
    kept.write(tmp_path, Config(name="other"), pytest.fail)
    assert config.load("small", path).name == "other"
    path.write_text("broken =")
    kept.write(tmp_path, Config(name="other"), pytest.fail)
    assert config.load("small", path).name == "other"


def test_a_place_that_cannot_be_written_costs_a_word(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    said: list[str] = []
    kept.write(tmp_path, Config(), said.append)
    assert len(said) == 1
    assert "config.toml cannot be written: Is a directory; last.pt has the configuration" in said[0]
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"], "nothing half-made"


def test_it_is_read_with_single_keys_over_it(tmp_path: Path) -> None:
    assert kept.read(tmp_path, {}) is None
    kept.write(tmp_path, FULL, pytest.fail)
    found = kept.read(tmp_path, {"training.steps": 9})
    assert found == dataclasses.replace(FULL, training=dataclasses.replace(FULL.training, steps=9))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[training]\nstep = 3\n", "training: key 'step' is unknown"),
        ("[training]\nsteps = 0\n", "training: steps is 0"),
        ("[training\n", "cannot be read as TOML"),
    ],
)
def test_a_broken_one_is_named_and_said_to_be_of_no_need(
    tmp_path: Path, text: str, fault: str
) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(WavestepError) as told:
        kept.read(tmp_path, {})
    assert fault in str(told.value)
    assert str(told.value).endswith("(without this file, last.pt's is taken)")
