"""wn-import as a user meets it: a report, a proof, a checkpoint that goes on like any other."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

import torch

import wn_runtime
from tests.export.commands.invoke import run
from tests.train.importers.r9y9_model import R9y9, rounded, saved
from wn_export.commands import export
from wn_export.commands.importing import main
from wn_train import checkpoint

CASE = R9y9(
    out_channels=9,
    input_type="raw",
    cin=5,
    network="conv_in",
    pad=2,
    gin=4,
    speakers=3,
    more={"sample_rate": 400, "postprocess": "inv_preemphasis", "global_gain_scale": 0.5},
)
STEPS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """theirs.pth, h.json and vectors.npz."""
    made, state, given = (
        tmp_path_factory.mktemp("theirs"),
        rounded(CASE.state()),
        CASE.inputs(STEPS),
    )
    torch.save(saved(state), made / "theirs.pth")
    (made / "h.json").write_text(json.dumps(CASE.hparams()))
    params = CASE.params(state, **given)
    np.savez(made / "vectors.npz", **given, params=params.astype(np.float32))
    return made


def imported(folder: Path, output: Path, *more: object) -> Any:
    return run(main, folder / "theirs.pth", "--hparams", folder / "h.json", *more, "-o", output)


@pytest.mark.parametrize("alignment", ["generation", "training"])
def test_every_engine_answers_as_the_original_did(
    folder: Path, tmp_path: Path, alignment: str
) -> None:
    how = ("--alignment", alignment, "--verify", folder / "vectors.npz")
    done = imported(folder, tmp_path / "mine.pt", *how)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].startswith("found    r9y9/wavenet_vocoder (master): 4 layers, R6 G10 S7, k = 3")
    assert "field    13 samples (32 ms at 400 Hz)" in lines
    assert "audio    de-emphasis 0.85, then times 2" in lines
    assert "frames   5 channels, one every 6 samples; audio is 4 frames behind them" in lines
    assert f"align    {alignment}: " in done.output
    proven = [line.split()[1:3] for line in lines if line.startswith("verify")]
    assert proven == [["pytorch", "fp32"], ["onnx", "fp32"], ["onnx", "fp16"]]
    assert done.output.count("PASS") == 3
    made = checkpoint.load(tmp_path / "mine.pt")
    assert (made.name, made.step) == ("mine", 7)
    assert np.array_equal(made.clips[0]["samples"], np.load(folder / "vectors.npz")["x"])


def test_an_answer_that_does_not_hold_is_exit_code_1_and_no_file(
    folder: Path, tmp_path: Path
) -> None:
    given = dict(np.load(folder / "vectors.npz"))
    given["params"][7, 2] += 1e-3
    np.savez(tmp_path / "v.npz", **given)
    done = imported(folder, tmp_path / "mine.pt", "--verify", tmp_path / "v.npz")
    assert done.exit_code == 1
    assert "FAIL" in done.output
    halves = [line for line in done.output.splitlines() if line.startswith("verify   onnx fp16")]
    assert [line.endswith("not proven: fp32 failed") for line in halves] == [True]
    assert f"{tmp_path / 'mine.pt'} is not written" in done.output
    assert not (tmp_path / "mine.pt").exists()


def test_it_exports_and_streams_through_its_filter(folder: Path, tmp_path: Path) -> None:
    assert imported(folder, tmp_path / "mine.pt").exit_code == 0
    exported = run(export.main, tmp_path / "mine.pt", "-o", tmp_path / "mine")
    assert exported.exit_code == 0, exported.output
    model = wn_runtime.open(tmp_path / "mine", "onnx")
    frames = CASE.inputs(STEPS)["frames"].astype(np.float32)
    whole = model.stream(seed=1, frames=frames, speaker=2)
    whole.push(frames[:0], last=True)
    audio = whole.read(STEPS)
    again = model.stream(seed=1, speaker=2)
    again.push(frames, last=True)
    classes = again.read_samples(STEPS)
    expected, before = np.empty(STEPS), 0.0
    for t in range(STEPS):
        before = float(classes[t, 0]) + 0.85 * before
        expected[t] = np.clip(2 * before, -1, 1)
    np.testing.assert_allclose(audio[:, 0], expected, atol=1e-6)
    parts = model.stream(seed=1, speaker=2)
    parts.push(frames, last=True)
    first = parts.read(25)
    kept = parts.snapshot()
    rest = parts.read(STEPS - 25)
    assert np.array_equal(np.concatenate([first, rest]), audio)
    assert np.array_equal(model.stream().restore(kept).read(STEPS - 25), rest)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--alignment", "trainng"), "did you mean 'training'"),
        (("--from", "ibab"), "holds no ibab model"),
        (("--verify", "none.npz"), "none.npz does not exist; give an .npz of x and params"),
        (("--set", "stacks=3"), "stacks is 3; it must divide 4 layers"),
        (("--set", "stakcs=2"), "--set 'stakcs' is unknown"),
        (("--statistics", "none.npz"), "none.npz does not exist; write them with"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = imported(folder, tmp_path / "mine.pt", *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert done.output.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.output
    assert not (tmp_path / "mine.pt").exists()


def test_a_name_that_no_checkpoint_has(folder: Path, tmp_path: Path) -> None:
    done = imported(folder, tmp_path / "mine.wav")
    assert done.exit_code == 2
    assert "is no name of a checkpoint; call it mine.pt" in done.output


def test_an_import_may_be_made_once_more_and_nothing_else_is_replaced(
    folder: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.pt"
    mine.touch()
    assert imported(folder, mine).exit_code == 0
    assert imported(folder, mine).exit_code == 0
    trained = dataclasses.replace(checkpoint.load(mine), config={"training": {"steps": 9}})
    checkpoint.save(mine, trained)
    (tmp_path / "other.pt").write_bytes(b"notes")
    for path in (mine, tmp_path / "other.pt"):
        before = path.read_bytes()
        done = imported(folder, path)
        assert done.exit_code == 2
        assert done.output == (
            f"error: {path} is there, and wn-import did not write it; give another -o, or delete "
            "it\n"
        )
        assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_told_before_the_work(folder: Path, tmp_path: Path) -> None:
    done = imported(folder, tmp_path / "none" / "mine.pt")
    assert done.exit_code == 2
    assert done.output.startswith("error: ")
    assert f"there is no folder {tmp_path / 'none'}" in done.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((2, 2), "f4")}, "x is (2, 2); it takes two samples or more"),
        ({"x": np.full(STEPS, np.nan, "f4")}, "x hold NaN or infinity"),
        ({"frames": np.zeros((3, 5), "f4")}, "60 samples take (10, 5) of them"),
        ({"speaker": np.array(9)}, "speaker index 9 is out of range"),
        ({"params": np.zeros((STEPS, 8), "f4")}, "the model has 9 of each of the 60 samples"),
    ],
)
def test_vectors_of_another_model(
    folder: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    np.savez(tmp_path / "v.npz", **dict(np.load(folder / "vectors.npz")) | change)
    done = imported(folder, tmp_path / "mine.pt", "--verify", tmp_path / "v.npz")
    assert done.exit_code == 2
    assert message in done.output
