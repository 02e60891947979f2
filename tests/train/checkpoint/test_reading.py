"""Checkpoints: what goes in comes out; anything else is one plain line and no code is run."""

from __future__ import annotations

import builtins
import io
import math
import pickle
import random
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models import specs
from tests.train.checkpoint.made import (
    SPEC,
    Change,
    archive,
    checkpoint_of,
    members,
    refusal,
    with_pickle,
    written,
)
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train import checkpoint
from wn_train.checkpoint import FORMAT
from wn_train.network.wavenet import WaveNet
from wn_train.training import optimizer

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return written(tmp_path / "best.pt")


def said_of(path: Path) -> str | None:
    try:
        checkpoint.load(path)
    except WavestepError as error:
        return str(error)
    return None


@pytest.mark.parametrize("weight_norm", [False, True])
@pytest.mark.parametrize("spec", [SPEC, specs.CORNERS["uneven"], specs.CORNERS["one_layer"]])
def test_a_checkpoint_comes_back_as_it_was(
    tmp_path: Path, spec: ModelSpec, weight_norm: bool
) -> None:
    made = checkpoint_of(spec, weight_norm)
    made.clips = [] if spec != SPEC else made.clips
    checkpoint.save(tmp_path / "best.pt", made)
    read = checkpoint.load(tmp_path / "best.pt")
    assert (read.name, read.spec, read.step, read.valid_bits) == ("voice", spec, 7, 3.5)
    assert (read.attribution, read.config) == ("thanks", made.config)
    for name in ("model", "ema"):
        torch.testing.assert_close(getattr(read, name), dict(getattr(made, name)), rtol=0, atol=0)
    WaveNet(spec, weight_norm).load_state_dict(read.ema)
    assert (read.training["position"], read.training["best"]) == ([1, 2], 3.25)
    assert len(read.clips) == len(made.clips)


def test_the_moments_of_the_optimizer_come_back(saved: Path) -> None:
    made, read = checkpoint_of(), checkpoint.load(saved)
    adam = optimizer.make(WaveNet(SPEC), checkpoint_settings())
    optimizer.resume(adam, read.training["optimizer"])
    expected = made.training["optimizer"]["state"]
    for number, moments in adam.state_dict()["state"].items():
        assert moments["step"] == 1
        assert moments["exp_avg"].shape == expected[number]["exp_avg"].shape
    groups = adam.state_dict()["param_groups"]
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0], "settings are the run's own"


def checkpoint_settings() -> Any:
    from wn_train.config import TrainingConfig

    return TrainingConfig(weight_decay=0.5)


def test_clips_come_back_with_their_conditions(saved: Path) -> None:
    clip = checkpoint.load(saved).clips[0]
    assert clip["samples"].tolist() == [0, 1, 2, 3, 4]
    assert clip["conditions"] == {"speaker": "ann", "mood": "calm+loud"}


@pytest.mark.parametrize("name", ["digits", "vocoder"])
def test_a_shipped_voice_is_as_torch_reads_it(name: str) -> None:
    path = EXAMPLES / f"{name}.pt"
    read, given = checkpoint.load(path), torch.load(path, weights_only=True)
    assert (read.name, read.step, read.valid_bits) == (name, given["step"], given["valid_bits"])
    assert (read.config, read.spec) == (given["config"], ModelSpec.from_dict(given["spec"]))
    torch.testing.assert_close(read.ema, given["ema"], rtol=0, atol=0)
    for one, other in zip(read.clips, given["clips"], strict=True):
        assert one["conditions"] == other["conditions"]
        assert torch.equal(one["samples"], other["samples"])
        assert torch.equal(one["frames"], other["frames"])
    assert (read.speech is not None) == ("speech" in given)
    if read.speech is not None:
        torch.testing.assert_close(read.speech.weights, given["speech"]["weights"], rtol=0, atol=0)


def test_what_earlier_versions_wrote_is_read_too(tmp_path: Path) -> None:
    made = checkpoint_of(weight_norm=True)
    assert isinstance(made.model, dict)
    assert hasattr(made.model, "_metadata"), "torch.save notes it"
    torch.save({**vars(made), "format": FORMAT, "spec": made.spec.to_dict()}, tmp_path / "old.pt")
    read = checkpoint.load(tmp_path / "old.pt")
    torch.testing.assert_close(read.model, dict(made.model), rtol=0, atol=0)
    assert read.training["optimizer"]["state"].keys() == made.training["optimizer"]["state"].keys()


def test_reading_leaves_the_random_numbers_as_they_are(saved: Path) -> None:
    before = torch.get_rng_state()
    checkpoint.load(saved)
    assert torch.equal(torch.get_rng_state(), before)


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
        assert "best.pt is not a wavestep checkpoint" in refusal(saved)


def test_a_changed_weight_is_noticed(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    weights = checkpoint.load(saved).ema["input.weight"].numpy().tobytes()
    data[bytes(data).index(weights[:64]) + 9] ^= 1
    saved.write_bytes(data)
    assert "is damaged (Bad CRC-32 for file" in refusal(saved)


class Bomb:
    """Unpickling it would call `open` on a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return (builtins.open, (str(self.path), "w"))


@pytest.mark.parametrize("form", ["pickle", "torch", "torch before 1.6", "tar", "in front"])
def test_a_pickle_is_refused_and_not_run(saved: Path, tmp_path: Path, form: str) -> None:
    victim, path = tmp_path / "made_by_the_bomb", tmp_path / "bomb.pt"
    bomb = pickle.dumps(Bomb(victim))
    if form == "torch":
        torch.save({"format": FORMAT, "spec": Bomb(victim)}, path)
    elif form == "torch before 1.6":
        torch.save(Bomb(victim), path, _use_new_zipfile_serialization=False)
    elif form == "tar":
        with tarfile.open(path, "w") as tar:
            tar.addfile(tarfile.TarInfo("pickle"), io.BytesIO(bomb))
    else:
        path.write_bytes(bomb + (archive(members(saved)) if form == "in front" else b""))
    if form == "in front":  # an archive may have something before it, which is not looked at
        checkpoint.load(path)
    else:
        assert "bomb.pt is not a wavestep checkpoint" in refusal(path)
    assert not victim.exists()
    # The bomb works where it is let: the refusal is what kept it.
    pickle.loads(bomb).close()
    assert victim.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"weight": torch.zeros(3)}, "is a PyTorch file, but not a wavestep checkpoint"),
        ([1], "is a PyTorch file, but not a wavestep checkpoint"),
        (torch.zeros(3), "is a PyTorch file, but not a wavestep checkpoint"),
        ({"format": True}, "is a PyTorch file, but not a wavestep checkpoint"),
        ({"format": 1}, "has format 1, this version reads 2; train it again"),
        ({"format": 3}, "has format 3, this version reads 2; upgrade wavestep"),
        ({"format": 2}, "key 'name' is missing"),
        (
            {"format": 2, "spec": {**SPEC.to_dict(), "output": {"kind": "cauchy"}}},
            "spec: output: kind 'cauchy' is unknown",
        ),
    ],
)
def test_another_file_is_one_line(tmp_path: Path, data: Any, message: str) -> None:
    torch.save(data, tmp_path / "other.pt")
    assert message in refusal(tmp_path / "other.pt")


@pytest.mark.parametrize("legacy", [False, True])
def test_the_way_of_another_projects_model_is_named(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "theirs.pth"
    torch.save({"state_dict": {}}, path, _use_new_zipfile_serialization=not legacy)
    way = f"; where another project trained it: wn-import {path} -o NAME.pt"
    assert refusal(path).endswith(way)


def test_an_absent_checkpoint_is_said_to_be_absent(tmp_path: Path) -> None:
    assert "does not exist; give a checkpoint that wn-train wrote" in refusal(tmp_path / "none.pt")


def test_a_checkpoint_over_what_memory_there_is_is_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wn_train.checkpoint.tensors.available_bytes", lambda: 1000)
    assert "GiB of memory" in refusal(saved)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def update(**parts: Any) -> Change:
    return lambda data: data.update(parts)


def in_spec(**parts: Any) -> Change:
    return lambda data: data["spec"].update(parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (update(name=3), "name: expected str"),
        (update(name=""), "name is ''"),
        (update(name="../voice"), "holds a path separator"),
        (update(name="a\x1b[2Jb"), "holds control characters"),
        (update(spec=[]), "spec: expected a table"),
        (in_spec(dilations=[1.5]), "dilations[0]: expected int"),
        (in_spec(dilations=[1] * 100), "the weights are not its spec's"),
        (in_spec(residual_channels=2**15), "the weights are not its spec's"),
        (in_spec(sample_rate=2**70), "too large"),
        (in_spec(residual_scale=math.nan), "no finite number"),
        (in_spec(kernel=1), "kernel is 1"),
        (update(weight_norm=1), "weight_norm: expected bool"),
        (update(weight_norm=True), "the weights are not its spec's"),
        (update(step=-1), "step is -1"),
        (update(step=2.0), "step: expected int"),
        (update(valid_bits="3"), "valid_bits: expected float"),
        (update(valid_bits=math.inf), "no finite number"),
        (update(attribution=b"a"), "not a wavestep checkpoint"),
        (update(config=3), "config: expected a table"),
        (update(config={"a": deep(20)}), "nested deeper"),
        (update(config={"a": torch.zeros(2)}), "nothing that JSON can hold"),
        (update(extra=1), "key 'extra' is unknown"),
        (lambda data: data.pop("name"), "key 'name' is missing"),
        (lambda data: data.pop("spec"), "key 'spec' is missing"),
    ],
)
def test_a_part_of_another_type_or_range_is_named(
    tmp_path: Path, change: Change, message: str
) -> None:
    assert message in refusal(written(tmp_path / "best.pt", change=change))


def test_a_pickle_changed_anywhere_is_read_or_refused_in_one_line(saved: Path) -> None:
    rng = random.Random(8)
    whole = saved.read_bytes()
    name = next(name for name in members(saved) if name.endswith("/data.pkl"))
    pickle_bytes = members(saved)[name]
    for _ in range(300):
        changed = bytearray(pickle_bytes)
        for _ in range(rng.choice([1, 2, 8])):
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        saved.write_bytes(whole)
        with_pickle(saved, bytes(changed))
        said = said_of(saved)
        assert said is None or said.startswith(str(saved))
        assert "\n" not in (said or "")


def test_a_copy_under_another_name_is_the_same(saved: Path, tmp_path: Path) -> None:
    other = shutil.copy(saved, tmp_path / "renamed.pt")
    assert checkpoint.load(Path(other)).name == "voice"
