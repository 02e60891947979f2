"""Checkpoints: what goes in comes out; anything else is one plain line and no code is run."""

from __future__ import annotations

import builtins
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import specs
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.checkpoint import FORMAT, Checkpoint
from wn_train.network.wavenet import WaveNet

SPEC = specs.CORNERS["two_conditions"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    state = WaveNet(SPEC).state_dict()
    made = Checkpoint(
        name="voice",
        spec=SPEC,
        weight_norm=False,
        model=state,
        ema={name: weight.clone() for name, weight in state.items()},
        step=7,
        valid_bits=3.5,
        attribution="thanks",
        clips=[{"samples": torch.arange(5), "conditions": {"speaker": "ann"}}],
        training={"position": [1, 2]},
    )
    path = tmp_path / "best.pt"
    checkpoint.save(path, made)
    return path


def test_a_checkpoint_comes_back_as_it_was(saved: Path) -> None:
    read = checkpoint.load(saved)
    assert (read.name, read.spec, read.step, read.valid_bits) == ("voice", SPEC, 7, 3.5)
    assert (read.attribution, read.training) == ("thanks", {"position": [1, 2]})
    WaveNet(SPEC).load_state_dict(read.ema)
    assert read.clips[0]["samples"].tolist() == [0, 1, 2, 3, 4]
    assert read.clips[0]["conditions"] == {"speaker": "ann"}


def test_a_released_checkpoint_has_the_averaged_weights_only(saved: Path, tmp_path: Path) -> None:
    released = checkpoint.release(checkpoint.load(saved))
    checkpoint.save(tmp_path / "small.pt", released)
    read = checkpoint.load(tmp_path / "small.pt")
    assert read.model == {}
    assert read.training == {}
    assert read.ema.keys() == checkpoint.load(saved).ema.keys()
    assert (tmp_path / "small.pt").stat().st_size < saved.stat().st_size


def test_a_truncated_checkpoint_is_refused(saved: Path) -> None:
    data = saved.read_bytes()
    for keep in (0, 10, len(data) // 2, len(data) - 30):
        saved.write_bytes(data[:keep])
        with pytest.raises(WavestepError, match=r"best\.pt is not a wavestep checkpoint"):
            checkpoint.load(saved)


def test_a_changed_weight_is_noticed(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    weights = checkpoint.load(saved).ema["input.weight"].numpy().tobytes()
    where = bytes(data).index(weights[:64])
    data[where + 9] ^= 1
    saved.write_bytes(data)
    with pytest.raises(WavestepError, match="is damaged at"):
        checkpoint.load(saved)


class Bomb:
    """Unpickling it would call `open` on a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return (builtins.open, (str(self.path), "w"))


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_a_pickle_is_refused_and_not_run(tmp_path: Path, form: str) -> None:
    victim, path = tmp_path / "made_by_the_bomb", tmp_path / "best.pt"
    if form == "pickle":
        path.write_bytes(pickle.dumps(Bomb(victim)))
    else:
        torch.save({"format": FORMAT, "spec": Bomb(victim)}, path)
    with pytest.raises(WavestepError, match=r"best\.pt is not a wavestep checkpoint"):
        checkpoint.load(path)
    assert not victim.exists()
    # The bomb works where it is let: the refusal is what kept it.
    if form == "pickle":
        pickle.loads(path.read_bytes()).close()
    else:
        torch.load(path, weights_only=False)["spec"].close()
    assert victim.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"weight": torch.zeros(3)}, "is a PyTorch file, but not a wavestep checkpoint"),
        ({"format": 1}, "has format 1, this version reads 2; train it again"),
        ({"format": 3}, "has format 3, this version reads 2; upgrade wavestep"),
        ({"format": 2, "spec": SPEC.to_dict()}, "lacks a part of a checkpoint"),
        (
            {"format": 2, "spec": {**SPEC.to_dict(), "output": {"kind": "logistic"}}},
            "spec: output: kind 'logistic' is unknown",
        ),
    ],
    ids=["of another program", "older", "newer", "a part", "an unknown head"],
)
def test_another_file_is_one_line(tmp_path: Path, data: dict[str, Any], message: str) -> None:
    path = tmp_path / "other.pt"
    torch.save(data, path)
    with pytest.raises(WavestepError, match=message) as error:
        checkpoint.load(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_an_absent_checkpoint_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(WavestepError, match="does not exist"):
        checkpoint.load(tmp_path / "none.pt")


def test_a_full_disk_keeps_the_older_checkpoint(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()
    read = checkpoint.load(saved)

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WavestepError, match="No space left on device"):
        checkpoint.save(saved, read)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == ["best.pt"]
