"""What is imported answers as the original does: every variant, held to a plain forward pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.train.importers import nv_wavenet_model
from tests.train.importers.ibab_model import Ibab
from tests.train.importers.nv_wavenet_model import NvWavenet
from tests.train.importers.r9y9_model import R9y9, rounded, saved
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.heads.logistic import Logistic
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model.postprocess import Postprocess
from wn_train.importers import reading
from wn_train.importers.imported import Imported
from wn_train.network.canonical import load_canonical
from wn_train.network.wavenet import WaveNet

MEL: dict[str, Any] = {"cin": 5, "network": "conv_in", "pad": 2}
R9Y9 = {
    "one-hot": R9y9(),
    "without weight norm": R9y9(normed=False, kernel=2),
    "0.1.1 without conditioning": R9y9(legacy=False),
    "logistic": R9y9(out_channels=9, input_type="raw"),
    "one logistic": R9y9(out_channels=3, input_type="raw"),
    "gaussian": R9y9(out_channels=2, input_type="raw", distribution="Normal", kernel=2),
    "one of a mixture of gaussians": R9y9(out_channels=3, input_type="raw", distribution="Normal"),
    "gaussians": R9y9(out_channels=6, input_type="raw", distribution="Normal"),
    "companded": R9y9(out_channels=6, input_type="mulaw", quantize=256),
    "mel": R9y9(**MEL),
    "mel without context": R9y9(cin=5, network="conv_in"),
    "mel, across channels": R9y9(**MEL, frequency=3, gin=4, speakers=3),
    "mel, activation": R9y9(**MEL, frequency=3, activation="LeakyReLU", slope=0.3),
    "mel, three stages": R9y9(**MEL, scales=(2, 2, 3), normed=False),
    "mel, no conv": R9y9(cin=5, network="plain", pad=1),
    "mel, no conv nor padding": R9y9(cin=5, network="plain", frequency=3),
    "mel repeated": R9y9(cin=5),
    "speakers": R9y9(gin=4, speakers=3),
    "0.1.1": R9y9(cin=5, network="transposed", frequency=3, legacy=False),
    "0.1.1, legacy": R9y9(cin=5, network="transposed", frequency=3, legacy=True, gin=4, speakers=2),
    "0.1.1, frames repeated": R9y9(cin=5, legacy=True, out_channels=6, input_type="raw"),
}
STEPS = 48


def answers(imported: Imported, x: NDArray[Any], **given: Any) -> NDArray[np.float32]:
    """The imported model's params (T, A), from x[0] on, its bias as the runtime streams it."""
    spec, late = imported.spec, int(imported.delayed)
    model = WaveNet(spec)
    load_canonical(model, imported.weights)
    frames = given.pop("frames", None)
    bias = None
    if spec.conditioning:
        conditioner = Conditioner(spec, imported.weights)
        framed = None if frames is None else frames.astype(np.float32)[:, None]
        rows = conditioner.whole(given, 1, len(x) + late, framed)
        assert rows is not None
        each = np.repeat(rows, -(-(len(x) + late) // len(rows)), axis=0)
        bias = torch.from_numpy(each[late : len(x) + late].transpose(1, 2, 0, 3).copy())
    head = spec.output
    before = np.full(spec.input_kernel, head.silence, head.sample_dtype)
    before[-1] = x[0]
    following = np.append(x[1:], x[:1]).astype(head.sample_dtype)
    tensors = [torch.from_numpy(array)[None] for array in (following, before)]
    known, earlier = (t if head.codes is None else t.long() for t in tensors)
    with torch.no_grad():
        found: NDArray[np.float32] = model.network(known, bias, earlier)[0].numpy()
    return found


def imported_from(
    tmp_path: Path, data: Any, settings: dict[str, Any], alignment: str = "generation", **how: Any
) -> Imported:
    path = tmp_path / "theirs.pth"
    torch.save(data, path, **how)
    (tmp_path / "h.json").write_text(json.dumps(settings))
    return reading.convert(path, None, tmp_path / "h.json", (), alignment, None)[0]


@pytest.mark.parametrize("alignment", ["generation", "training"])
@pytest.mark.parametrize("case", R9Y9.values(), ids=list(R9Y9))
def test_r9y9(tmp_path: Path, case: R9y9, alignment: str) -> None:
    state = rounded(case.state())
    given = case.inputs(STEPS)
    expected = case.params(state, **given)
    imported = imported_from(tmp_path, saved(state), case.hparams(), alignment)
    assert ("0.1.1" in imported.project) == (case.legacy is not None)
    if imported.columns is not None:
        expected = expected[:, list(imported.columns)]
    found = answers(imported, **given)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_both_serialisations_and_a_step(tmp_path: Path) -> None:
    case = R9y9()
    data = saved(case.state())
    one, other = (
        imported_from(tmp_path, data, case.hparams(), _use_new_zipfile_serialization=new)
        for new in (True, False)
    )
    assert all(np.array_equal(one.weights[k], other.weights[k]) for k in one.weights)
    assert reading.convert(tmp_path / "theirs.pth", "r9y9", tmp_path / "h.json", (), "training",
                           None)[1] == 7  # fmt: skip


def test_half_precision_and_shared_storages_are_read(tmp_path: Path) -> None:
    case = R9y9(normed=False)
    state = {name: tensor.half() for name, tensor in case.state().items()}
    every = torch.cat([tensor.flatten() for tensor in state.values()])
    shared, start = {}, 0
    for name, tensor in state.items():
        shared[name] = every[start : start + tensor.numel()].view(tensor.shape)
        start += tensor.numel()
    imported = imported_from(tmp_path, {"state_dict": shared}, case.hparams())
    given = case.inputs(STEPS)
    expected = case.params({k: v.double() for k, v in state.items()}, **given)
    assert np.abs(answers(imported, **given) - expected).max() <= 1e-5 * np.abs(expected).max()


def test_what_an_output_means_is_the_originals(tmp_path: Path) -> None:
    def head(case: R9y9) -> Any:
        return imported_from(tmp_path, saved(case.state()), case.hparams()).spec.output

    assert head(R9Y9["one-hot"]) == Softmax(16, "mu-law-floor")
    assert head(R9Y9["one-hot"]).silence == 7
    assert head(R9Y9["logistic"]) == Logistic(3, -16.0)
    assert head(R9Y9["one logistic"]) == Logistic(1, -16.0)
    assert head(R9Y9["gaussian"]) == Gaussian(1, -16.0)
    assert head(R9Y9["gaussians"]) == Gaussian(2, -16.0)
    assert head(R9Y9["companded"]) == Logistic(2, -16.0, mu=255)
    old = R9y9(out_channels=9, input_type="raw", legacy=True, more={"log_scale_min": -7.0})
    assert head(old) == Logistic(3, -7.0)  # which it clamps in drawing, too


def test_its_audio_is_filtered_and_its_level_restored(tmp_path: Path) -> None:
    more = {"postprocess": "inv_preemphasis", "global_gain_scale": 0.5}
    case = R9y9(more=more)
    spec = imported_from(tmp_path, saved(case.state()), case.hparams()).spec
    assert spec.postprocess == Postprocess(0.85, 2.0)


def test_statistics_make_frames_as_they_are_extracted(tmp_path: Path) -> None:
    case = R9y9(**MEL)
    state, given = rounded(case.state()), case.inputs(STEPS)
    expected = case.params(state, **given)
    mean, scale = np.arange(5.0), np.arange(1.0, 6.0)
    np.savez(tmp_path / "s.npz", mean=mean, scale=scale)
    imported_from(tmp_path, saved(state), case.hparams())
    imported = reading.convert(tmp_path / "theirs.pth", None, tmp_path / "h.json", (),
                               "generation", tmp_path / "s.npz")[0]  # fmt: skip
    found = answers(imported, given["x"], frames=given["frames"] * scale + mean)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_numbers_in_place_of_an_embedding_are_tags(tmp_path: Path) -> None:
    case = R9y9(gin=3)
    state, given = rounded(case.state()), case.inputs(STEPS)
    imported = imported_from(tmp_path, saved(state), case.hparams())
    (conditioner,) = imported.spec.conditioning
    assert isinstance(conditioner, GlobalConditions)
    expected = case.params(state, **given, features=np.array([1.0, 0.0, 1.0]))
    found = answers(imported, given["x"], features="0+2")
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("alignment", ["generation", "training"])
@pytest.mark.parametrize("case", [NvWavenet(), NvWavenet(window=8)], ids=["uneven", "even"])
def test_nv_wavenet(tmp_path: Path, case: NvWavenet, alignment: str, legacy: bool) -> None:
    model, rng = case.model(), np.random.default_rng(0)
    nv_wavenet_model.save(tmp_path / "nv.pt", model, legacy)
    x = rng.integers(0, case.classes, STEPS)
    frames = rng.standard_normal((STEPS // case.stride, case.channels))
    expected = case.params(model.state_dict(), x, frames)
    imported, steps = reading.convert(tmp_path / "nv.pt", None, None, (), alignment, None)
    found = answers(imported, x, frames=frames)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    spec = imported.spec
    assert (steps, spec.sample_rate, spec.output.silence) == (3, 16000, 8)
    assert spec.dilations == (1, 2, 4, 1)


IBAB = {
    "one-hot": Ibab(),
    "no biases": Ibab(biases=False),
    "three taps": Ibab(width=3),
    "amplitudes": Ibab(scalar=True),
    "speakers": Ibab(gc_channels=4, speakers=3),
}


@pytest.mark.parametrize("case", IBAB.values(), ids=list(IBAB))
def test_ibab(tmp_path: Path, case: Ibab) -> None:
    variables = case.variables()
    beside: dict[str, Any] = {
        "global_step:0": np.array(5),
        "wavenet/causal_layer/filter/Adam": np.zeros(3),
    }
    np.savez(tmp_path / "v.npz", **beside | {f"{k}:0": v for k, v in variables.items()})
    (tmp_path / "p.json").write_text(json.dumps(case.params_file()))
    imported, _ = reading.convert(
        tmp_path / "v.npz", None, tmp_path / "p.json", (), "generation", None
    )
    x = np.random.default_rng(0).integers(0, case.classes, STEPS)
    speaker = 1 if case.speakers else None
    expected = case.answers(variables, x, speaker)
    given = {} if speaker is None else {"speaker": speaker}
    found = answers(imported, x, **given)
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    assert imported.spec.output.silence == 8
