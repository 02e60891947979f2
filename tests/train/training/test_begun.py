"""wn-train --init: a checkpoint's own network, whatever it is, trained on with recordings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

from tests.train.importers.r9y9_model import R9y9, saved
from tests.train.recordings import write_corpus
from wn_runtime.errors import WavestepError
from wn_train import checkpoint
from wn_train.commands.train import main
from wn_train.importers import reading, writing
from wn_train.network.canonical import load_canonical
from wn_train.network.wavenet import WaveNet
from wn_train.training import begun
from wn_train.training.stopping import Stop

CASE = R9y9(
    out_channels=6, input_type="raw", cin=3, network="conv_in", pad=1, scales=(4, 4),
    gin=2, speakers=2, more={"postprocess": "inv_preemphasis"},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """mine.pt, and data/ with frames."""
    torch.save(saved(CASE.state()), tmp_path / "theirs.pth")
    (tmp_path / "h.json").write_text(json.dumps(CASE.hparams()))
    imported, steps = reading.convert(
        tmp_path / "theirs.pth", None, tmp_path / "h.json", (), "training", None
    )
    model = WaveNet(imported.spec)
    load_canonical(model, imported.weights)
    made = writing.checkpoint_of(imported, model, "mine", steps, None)
    checkpoint.save(tmp_path / "mine.pt", made)
    write_corpus(tmp_path / "data", files=4, seconds=0.05)
    with_frames(tmp_path / "data")
    return tmp_path


def with_frames(data: Path) -> None:
    """A file of frames for each of its recordings of 400, 480, … samples; speakers 0 and 1."""
    lines = (data / "metadata.csv").read_text().splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    out = ["file,speaker,split,frames"]
    for i, row in enumerate(rows):
        frames = np.random.default_rng(i).standard_normal((25 + 5 * i, 3))
        np.save(data / f"{i}.npy", frames.astype("f4"))
        out.append(f"{row['file']},{i % 2},{'valid' if i == 3 else 'train'},{i}.npy")
    (data / "metadata.csv").write_text("\n".join(out) + "\n")


def wn_train(folder: Path, *arguments: str) -> Result:
    command = [str(folder / "data"), "-o", str(folder / "run"), "--threads", "1", *arguments]
    return CliRunner().invoke(main, command)


def test_its_network_is_trained_on_and_resumed(folder: Path) -> None:
    done = wn_train(folder, "--init", str(folder / "mine.pt"), "--steps", "1")
    assert done.exit_code == 0, done.output
    assert f"100% of the weights are those of {folder / 'mine.pt'}" in done.output
    before, best = (checkpoint.load(folder / name) for name in ("mine.pt", "run/best.pt"))
    assert best.spec == before.spec
    moved = [n for n in best.ema if not torch.equal(best.model[n], before.ema[n])]
    assert any(name.startswith("conditioners.1.kernels.") for name in moved)
    (folder / "mine.pt").unlink()  # last.pt has its network, too
    more = wn_train(folder, "--steps", "2", "--resume")
    assert more.exit_code == 0, more.output
    assert checkpoint.load(folder / "run" / "last.pt").step == 2


def test_a_run_is_its_best_checkpoint(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "mine.pt").rename(folder / "other" / "best.pt")
    done = wn_train(folder, "--init", str(folder / "other"), "--steps", "1")
    assert done.exit_code == 0, done.output
    assert f"100% of the weights are those of {folder / 'other' / 'best.pt'}" in done.output


@pytest.mark.parametrize("asked", ["--preset", "--config"])
def test_another_network_beside_it_is_an_error(folder: Path, asked: str) -> None:
    (folder / "c.toml").write_text("[model]\nlayers = 7\n")
    given = str(folder / "c.toml") if asked == "--config" else "tiny"
    done = wn_train(folder, "--init", str(folder / "mine.pt"), "--steps", "1", asked, given)
    what = f"[model] of {given}" if asked == "--config" else "--preset tiny"
    assert done.exit_code == 2
    assert done.output == (
        f"error: {what} and --init {folder / 'mine.pt'} each give a network, and not the same; "
        "leave one out\n"
    )
    assert not (folder / "run").exists()


def test_a_configuration_that_gives_no_other_network_may_stand_beside_it(folder: Path) -> None:
    init = ("--init", str(folder / "mine.pt"))
    (folder / "c.toml").write_text("[model]\nweight_norm = true\n[training]\nlearning_rate = 1e-4")
    assert (
        wn_train(folder, *init, "--config", str(folder / "c.toml"), "--steps", "1").exit_code == 0
    )
    whole = folder / "run" / "config.toml"  # of a run that took its network from there
    whole.rename(folder / "whole.toml")
    (folder / "run").rename(folder / "before")
    again = wn_train(folder, *init, "--config", str(folder / "whole.toml"), "--steps", "1")
    assert again.exit_code == 0, again.output


def test_the_same_network_may_be_given_twice(tmp_path: Path) -> None:
    write_corpus(tmp_path / "data", files=4, seconds=0.05)
    first = wn_train(tmp_path, "--preset", "tiny", "--steps", "1")
    assert first.exit_code == 0, first.output
    (tmp_path / "run").rename(tmp_path / "first")
    init = ("--init", str(tmp_path / "first"), "--preset", "tiny")
    done = wn_train(tmp_path, *init, "--steps", "1")
    assert done.exit_code == 0, done.output


def test_recordings_are_shown_as_the_original_was_and_end_where_they_end(folder: Path) -> None:
    network = checkpoint.load(folder / "mine.pt")
    spec, utterances = begun.prepare(folder / "data", network, lambda _: None, Stop())
    first = utterances[0]
    assert first.padding is not None
    assert first.padding.tolist() == [np.finfo(np.float32).max] * 3
    audio = spec.decode(first.samples[:, None])[:, 0]
    assert np.abs(audio).max() > np.abs(first.samples).max()  # de-emphasis gives it back


def test_what_the_network_does_not_know_is_told(folder: Path) -> None:
    metadata = folder / "data" / "metadata.csv"
    text = metadata.read_text()
    network = checkpoint.load(folder / "mine.pt")
    metadata.write_text(text.replace(",1,train", ",7,train"))
    with pytest.raises(WavestepError, match="speaker index 7 is out of range"):
        begun.prepare(folder / "data", network, lambda _: None, Stop())
    metadata.write_text(text.replace("speaker", "singer"))
    with pytest.raises(WavestepError, match="speaker"):
        begun.prepare(folder / "data", network, lambda _: None, Stop())
