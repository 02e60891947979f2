"""Every head of the product, from training through export and parity to audio."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.models.specs import SPEAKER, small_spec
from tests.seams.voice import tones, trained, utterances
from wn_export.package.export import Options, export_checkpoint
from wn_runtime.engines.native.kind import PRECISIONS
from wn_runtime.heads import pcm16
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.head import Head
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax

OTHERS: dict[str, Head] = {
    "linear": Softmax(512, "linear"),
    "logistic": Logistic(3),
    "gaussian": Gaussian(),
    "gaussians": Gaussian(2),
}


SLOW = ("logistic", "gaussians")
"""Each is trained, exported and proven; what is special to them other tests have, too."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in OTHERS],
)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "run"
    head, audio = OTHERS[request.param], tones()
    spec = small_spec(
        (1, 2, 4, 8), residual=16, gate=32, conditions=(SPEAKER,), output=head, input_kernel=2
    )
    trained(folder, spec, utterances(spec, audio, [None] * len(audio)))
    return folder


@pytest.fixture(scope="module")
def directory(run: Path) -> Path:
    said: list[str] = []
    target = run.parent / "voice"
    assert export_checkpoint(run / "best.pt", target, Options(fp16=True), said.append), "\n".join(
        said
    )
    return target


def test_training_lowers_its_bits(run: Path) -> None:
    lines = [line for line in (run / "said.txt").read_text().splitlines() if "on valid" in line]
    first, last = (float(line.split(": ")[1].split(" ")[0]) for line in lines)
    assert last < first < 16
    assert ("of 16 bits" in lines[0]) == (run.parent.name.startswith("linear"))


def test_every_engine_and_precision_is_proven(directory: Path) -> None:
    report = json.loads((directory / "report.json").read_text())
    assert report["passed"]
    rows = {(row["engine"], row["precision"]) for row in report["engines"] if row["passed"]}
    # A single narrow Gaussian of so small a network feels each rounding of its mean.
    steep = directory.parent.name.startswith("gaussian0")
    assert rows >= {("native", precision) for precision in (["fp32"] if steep else PRECISIONS)}
    assert rows >= {("onnx", "fp32"), ("onnx", "fp16")}
    assert report["reference"]["bits_per_16_bit_sample"] < 16


@pytest.mark.parametrize("engine", ["native", "onnx"])
def test_it_runs_in_blocks_of_any_size(directory: Path, engine: str) -> None:
    with wn_runtime.open(directory, engine, "fp32", batch=2) as model:
        whole = model.stream(seed=3, speaker="bob").read(600)
        pieces = model.stream(seed=3, speaker="bob")
        found = np.concatenate([pieces.read(n) for n in (1, 64, 200, 335)])
    assert np.array_equal(found, whole)
    assert np.abs(whole).max() > 0.01
    assert np.array_equal(whole, pcm16.encode(whole)), "samples leave the grid"
