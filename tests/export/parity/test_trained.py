"""What the exporter takes from a checkpoint, and which checkpoints it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from tests.export.checkpoints import write_checkpoint
from tests.models import specs
from wn_export.parity.clips import choose_clips
from wn_export.parity.trained import load
from wn_runtime.errors import WavestepError
from wn_runtime.features.features import Features
from wn_runtime.model import strict

SPEC = specs.CORNERS["two_conditions"]


def test_a_checkpoint_gives_its_averaged_weights_or_its_raw_ones(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    averaged, raw = load(path), load(path, raw=True)
    assert averaged.name == "voice"
    assert averaged.source == {
        "checkpoint": "voice.pt",
        "weights": "ema",
        "step": 1234,
        "valid_bits": 3.5,
        "valid_bits_16": None,
        "attribution": "someone's data, CC0",
    }
    assert raw.source["weights"] == "raw"
    assert not np.array_equal(averaged.weights["input.weight"], raw.weights["input.weight"])
    assert [clip.conditions["speaker"] for clip in averaged.clips] == ["ann", "bob", "eve"]


def test_what_the_frames_hold_is_told_on(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    data = torch.load(path, weights_only=True)
    data["config"]["features"] = strict.plain(Features(8000, 80, 320, mel=2, pitch=True))
    torch.save(data, path, pickle_protocol=2)
    told = load(path).source["features"]
    assert told["columns"] == ["mel 0", "mel 1", "ln F0", "voiced"]
    assert (told["hop"], told["window"]) == (80, 320)
    data["config"]["features"]["low_hz"] = float("nan")
    torch.save(data, path, pickle_protocol=2)
    with pytest.raises(WavestepError, match=r"config\.features\.low_hz: nan is no finite number"):
        load(path)


def test_a_checkpoint_whose_weights_are_not_its_specs_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    data = torch.load(path, weights_only=True)
    data["spec"]["skip_channels"] += 1
    torch.save(data, path)
    with pytest.raises(
        WavestepError, match=r"voice\.pt: model: skip\.bias: the weights are not its"
    ):
        load(path)


def test_a_released_checkpoint_has_no_raw_weights(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "voice.pt", SPEC)
    data = torch.load(path, weights_only=True)
    data["model"] = {}
    torch.save(data, path)
    load(path)
    with pytest.raises(WavestepError, match="holds no raw weights; export it without --raw"):
        load(path, raw=True)


def test_the_names_of_files_are_text_whatever_they_are(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "voice.pt", SPEC).rename(tmp_path / "\udcff\x1b[31m\n.pt")
    model = load(path)
    assert model.name == "voice"
    assert model.source["checkpoint"] == r"\udcff\x1b[31m\n.pt"
    audio = tmp_path / "\udcff\x1b[31m\n.wav"
    with audio.open("wb") as file:
        soundfile.write(file, np.zeros(80), SPEC.sample_rate, format="WAV")
    _, material = choose_clips(model, (audio,) * 7, 700)
    assert material == ", ".join([r"\udcff\x1b[31m\n.wav"] * 5) + " and 2 more"


def test_clips_are_cut_at_what_a_reference_may_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(write_checkpoint(tmp_path / "voice.pt", SPEC, clips=4, steps=300))
    clips, material = choose_clips(model, (), 700)
    assert [len(clip.samples) for clip in clips] == [300, 300, 100]
    assert material == "held-back audio of the checkpoint"
    monkeypatch.setattr("wn_export.parity.clips.MOST_CLIPS", 2)
    clips, _ = choose_clips(model, (), 700)
    assert [len(clip.samples) for clip in clips] == [300, 300]
    monkeypatch.undo()
    every, _ = choose_clips(model, ())
    assert [len(clip.samples) for clip in every] == [300] * 4
