"""Checkpoints: what goes in comes out; anything else is one plain line and no code is run."""

import builtins
import os
import pickle

import pytest
import torch

from tests import specs
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.checkpoint import Checkpoint
from wn_train.network.wavenet import WaveNet

SPEC = specs.CORNERS["two_conditions"]


@pytest.fixture
def saved(tmp_path):
    model = WaveNet(SPEC)
    state = model.state_dict()
    average = {name: weight.clone() for name, weight in state.items()}
    path = tmp_path / "best.pt"
    excerpts = [{"codes": torch.arange(5), "conditions": {"speaker": "ann"}}]
    made = Checkpoint("voice", SPEC, False, state, average, 7, 3.5, "thanks", {}, excerpts)
    checkpoint.save(path, made)
    return path


def test_a_checkpoint_comes_back_as_it_was(saved):
    read = checkpoint.load(saved)
    assert (read.name, read.spec, read.step, read.valid_bits) == ("voice", SPEC, 7, 3.5)
    WaveNet(SPEC).load_state_dict(read.ema)
    assert read.excerpts[0]["codes"].tolist() == [0, 1, 2, 3, 4]


def test_a_released_checkpoint_has_the_averaged_weights_only(saved, tmp_path):
    released = checkpoint.release(checkpoint.load(saved))
    checkpoint.save(tmp_path / "small.pt", released)
    read = checkpoint.load(tmp_path / "small.pt")
    assert read.model == {}
    assert read.training == {}
    assert read.ema.keys() == checkpoint.load(saved).ema.keys()
    assert (tmp_path / "small.pt").stat().st_size < saved.stat().st_size


def test_a_truncated_checkpoint_is_told(saved):
    data = saved.read_bytes()
    for keep in (0, 10, len(data) // 2, len(data) - 30):
        saved.write_bytes(data[:keep])
        with pytest.raises(WavestepError, match=r"best\.pt is not a wavestep checkpoint"):
            checkpoint.load(saved)


def test_a_changed_weight_is_told(saved):
    data = bytearray(saved.read_bytes())
    weights = checkpoint.load(saved).ema["input_weight"].numpy().tobytes()
    where = bytes(data).index(weights[:64])
    data[where + 9] ^= 1
    saved.write_bytes(data)
    with pytest.raises(WavestepError, match="is damaged at"):
        checkpoint.load(saved)


class Bomb:
    """Unpickling it would call `open` on a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (builtins.open, (str(self.path), "w"))


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_a_pickle_is_refused_and_not_run(tmp_path, form):
    victim, path = tmp_path / "made_by_the_bomb", tmp_path / "best.pt"
    if form == "pickle":
        path.write_bytes(pickle.dumps(Bomb(victim)))
    else:
        torch.save({"format": 1, "spec": Bomb(victim)}, path)
    with pytest.raises(WavestepError, match=r"best\.pt is not a wavestep checkpoint"):
        checkpoint.load(path)
    assert not victim.exists()
    # The bomb works where it is let: the refusal is what kept it.
    if form == "pickle":
        pickle.loads(path.read_bytes()).close()
        assert victim.exists()


def test_other_pytorch_files_and_newer_formats_are_told(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(3)}, path)
    with pytest.raises(WavestepError, match="is a PyTorch file, but not a wavestep checkpoint"):
        checkpoint.load(path)
    torch.save({"format": checkpoint.FORMAT + 1}, path)
    with pytest.raises(WavestepError, match="has format 2, this version reads up to 1"):
        checkpoint.load(path)
    torch.save({"format": 1, "spec": SPEC.to_dict()}, path)
    with pytest.raises(WavestepError, match="lacks a part of a checkpoint"):
        checkpoint.load(path)
    with pytest.raises(WavestepError, match="does not exist"):
        checkpoint.load(tmp_path / "none.pt")


def test_a_full_disk_keeps_the_older_checkpoint(saved, monkeypatch):
    before = saved.read_bytes()
    read = checkpoint.load(saved)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WavestepError, match="No space left on device"):
        checkpoint.save(saved, read)
    assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == ["best.pt"]


def test_nothing_is_loaded_with_code_allowed(saved, monkeypatch):
    asked = []
    real = torch.load

    def spy(file, **settings):
        asked.append(settings.get("weights_only"))
        return real(file, **settings)

    monkeypatch.setattr(torch, "load", spy)
    checkpoint.load(saved)
    assert asked == [True]
