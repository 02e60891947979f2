"""What cannot be imported is refused in one line that says why; nothing in it is run."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.export.checkpoints import write_checkpoint
from tests.models.specs import CORNERS
from tests.train.importers.ibab_model import Ibab
from tests.train.importers.r9y9_model import R9y9, saved
from wn_runtime.errors import WavestepError
from wn_train.importers import reading

CASE = R9y9(cin=5, network="conv_in", pad=2)


class Evil:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch ran",)


def refused(
    path: Path, settings: dict[str, Any] | None = None, kind: str | None = None, **more: Any
) -> str:
    """The message, a line."""
    hparams = None
    if settings is not None:
        hparams = path.parent / "h.json"
        hparams.write_text(json.dumps(settings))
    given = {"given": (), "alignment": "generation", "statistics": None, **more}
    with pytest.raises(WavestepError) as caught:
        reading.convert(path, kind, hparams, **given)
    message = str(caught.value)
    assert "\n" not in message
    return message


def written(folder: Path, data: Any, new: bool = True) -> Path:
    torch.save(data, folder / "c.pth", _use_new_zipfile_serialization=new)
    return folder / "c.pth"


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("place", ["optimizer", "state_dict", "inside"])
def test_a_pickle_that_names_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: bool, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data = saved(CASE.state())
    if place == "inside":
        data["state_dict"]["first_conv.bias"] = Evil()
    else:
        data[place] = Evil()
    message = refused(written(tmp_path, data, new), CASE.hparams())
    assert "it names 'posix system', which no model needs; no code in it was run" in message
    assert not (tmp_path / "ran").exists()


def tied(depth: int, width: int) -> torch.nn.Module:
    """The same module in `width` places, and that in as many: a small file, a large tree."""
    module: torch.nn.Module = torch.nn.Linear(1, 1)
    for _ in range(depth - 1):
        module = torch.nn.Sequential(*[module] * width)
    return module


def test_modules_that_unfold_without_end(tmp_path: Path) -> None:
    for depth, width in ((3, 8), (15, 1)):
        message = refused(written(tmp_path, {"model": tied(depth, width)}))
        assert "holds no model of a known project" in message
    path = written(tmp_path, {"model": tied(15, 8)})
    assert path.stat().st_size < 20_000
    assert "its modules unfold to more than any model has" in refused(path)


def test_modules_that_hold_much_in_many_places(tmp_path: Path) -> None:
    """What has no name of its own in a model is looked at, too, wherever the module stands."""
    deep = tied(5, 8)
    leaf: torch.nn.Module = deep
    while isinstance(leaf, torch.nn.Sequential):
        leaf = leaf[0]
    leaf.__dict__.update({f"{i:x}": "" for i in range(5000)})
    path = written(tmp_path, {"model": deep})
    assert "its modules unfold to more than any model has" in refused(path)


@pytest.mark.parametrize("key", [10**5000, 3], ids=["huge", "small"])
def test_numbers_for_names(tmp_path: Path, key: int) -> None:
    said = f"has a {type(key).__name__} for a name; no code in it was run"
    assert said in refused(written(tmp_path, {"state_dict": {key: torch.zeros(1)}}))
    module = torch.nn.Linear(1, 1)
    module._parameters[key] = module._parameters["weight"]  # type: ignore[index]
    assert said in refused(written(tmp_path, {"model": module}))


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_plain_pickle_and_a_joblib_file(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "meanvar.joblib"
    path.write_bytes(pickle.dumps({"mean_": np.zeros(3), "evil": Evil()}, protocol))
    assert "no code in it was run" in refused(path, CASE.hparams())
    good = written(tmp_path, saved(CASE.state()))
    message = refused(good, CASE.hparams(), statistics=path)
    assert "meanvar.joblib is no .npz of mean and scale" in message
    assert "numpy.savez('meanvar.npz', mean=s.mean_, scale=s.scale_)" in message


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.999])
def test_a_file_that_is_cut_short(tmp_path: Path, new: bool, share: float) -> None:
    path = written(tmp_path, saved(CASE.state()), new)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "cannot be imported" in refused(path, CASE.hparams())


def test_another_projects_checkpoint(tmp_path: Path) -> None:
    path = written(tmp_path, {"state_dict": {"encoder.weight": torch.zeros(3, 3)}})
    message = refused(path, CASE.hparams())
    assert "holds no model of a known project (its first tensor is 'encoder.weight')" in message
    assert "holds no ibab model" in refused(path, CASE.hparams(), "ibab")
    assert "did you mean 'r9y9'" in refused(path, CASE.hparams(), "r9y")
    assert "has no tensors" in refused(written(tmp_path, [1, 2]), CASE.hparams())
    own = write_checkpoint(tmp_path / "own.pt", CORNERS["plain"])
    assert "is a wavestep checkpoint already; wn-export" in refused(own, CASE.hparams())
    assert "does not exist" in refused(tmp_path / "none.pth", CASE.hparams())


def test_tensors_that_are_missing_left_over_or_no_numbers(tmp_path: Path) -> None:
    def message(change: Callable[[dict[str, torch.Tensor]], object]) -> str:
        data = saved(CASE.state())
        change(data["state_dict"])
        return refused(written(tmp_path, data), CASE.hparams())

    assert "conv_layers.2.conv1x1_skip.weight is missing" in message(
        lambda w: w.pop("conv_layers.2.conv1x1_skip.weight_v")
    )
    assert "last_conv_layers.3.weight is missing" in message(
        lambda w: w.pop("last_conv_layers.3.weight_v")
    )
    assert "'other.weight' belongs to no model of these settings" in message(
        lambda w: w.update({"other.weight": torch.zeros(2)})
    )
    assert "first_conv.bias holds NaN or infinity" in message(
        lambda w: w["first_conv.bias"].fill_(np.nan)
    )
    assert "first_conv.weight_v has a direction of zero" in message(
        lambda w: w["first_conv.weight_v"].zero_()
    )
    assert "first_conv.bias is [5], the settings make it [6]" in message(
        lambda w: w.update({"first_conv.bias": torch.zeros(5)})
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stacks": None}, "stacks is missing (the file does not say how dilations repeat)"),
        ({"sample_rate": None}, "sample_rate is missing"),
        ({"input_type": None}, "input_type is missing (one of raw, mulaw, mulaw-quantize)"),
        ({"stacks": 3}, "stacks is 3; it must divide 4 layers"),
        ({"layers": 5}, "layers is 5, the file has 4"),
        ({"residual_channels": 7}, "residual_channels is 7, the file has 6"),
        ({"kernel_size": 2}, "kernel_size is 2, the file has 3"),
        ({"out_channels": 256}, "out_channels is 256, the file has 16"),
        ({"input_type": "raw"}, "input_type is raw, the file's model takes 16 classes"),
        ({"input_type": "pcm"}, "input_type is 'pcm'; it must be raw or mulaw"),
        ({"quantize_channels": 256}, "quantize_channels is 256, the file has 16 classes"),
        ({"cin_pad": 1}, "conv_in.weight is [5, 5, 5], the settings make it [5, 5, 3]"),
        ({"hop_size": 256}, "hop_size is 256, the file's stages [2, 3] stretch by 6"),
        ({"upsample_params": {"upsample_scales": [3, 2]}}, "are (3, 2), the file's"),
        ({"upsample_params": {"mode": "linear"}}, "mode is 'linear'; known is nearest"),
        ({"upsample_params": {"upsample_activation": "Tanh"}}, "upsample_activation is 'Tanh'"),
        ({"upsample_params": 3}, "upsample_params: expected a table of keys, got 3"),
        ({"postprocess": "louder"}, "postprocess is 'louder'; known are inv_preemphasis and none"),
        ({"global_gain_scale": 1e-9}, "global_gain_scale is 1e-09"),
        ({"layers": "4"}, "layers: expected int, got '4'"),
        ({"sample_rate": 10**9}, "sample_rate is 1000000000; it must be 1 to 1000000"),
    ],
)  # fmt: skip
def test_settings_that_are_missing_or_not_the_files(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, saved(CASE.state()))
    assert message in refused(path, CASE.hparams() | changes)


def test_what_is_not_known_is_asked_for_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, saved(CASE.state()))
    message = refused(path)
    assert "no --hparams: stacks is missing" in message
    assert "--set stacks=" in message
    old = R9y9(cin=5, network="transposed", legacy=True)
    path = written(tmp_path, saved(old.state()))
    assert "legacy is missing" in refused(path, old.hparams() | {"legacy": None})
    settings = ("stacks=2", "sample_rate=8000", "input_type=mulaw-quantize", "legacy=true")
    reading.convert(path, None, None, settings, "generation", None)
    assert "--set 'stacks' is no name=value" in refused(path, given=("stacks",))


def test_settings_files_that_are_none(tmp_path: Path) -> None:
    path = written(tmp_path, saved(CASE.state()))
    for text, fault in (("{", "cannot be read as JSON"), ("[]", "is no table of settings")):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(WavestepError, match=fault):
            reading.convert(path, None, tmp_path / "s.json", (), "generation", None)
    with pytest.raises(WavestepError, match="does not exist"):
        reading.convert(path, None, tmp_path / "no.json", (), "generation", None)


def test_an_npz_that_is_damaged_or_holds_objects(tmp_path: Path) -> None:
    case, path = Ibab(), tmp_path / "v.npz"
    variables: dict[str, Any] = dict(case.variables())
    np.savez(path, **variables)
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    assert "cannot be read as .npz" in refused(path, case.params_file())
    np.savez(path, **variables, more=np.array([Evil()], object))
    assert "cannot be read as .npz" in refused(path, case.params_file())
    np.savez(path, **variables)
    assert "4 layers" in refused(path, case.params_file() | {"dilations": [1, 2]})
    assert "scalar_input is True, the file has False" in refused(
        path, case.params_file() | {"scalar_input": True}
    )
    assert "dilations is missing" in refused(path, case.params_file() | {"dilations": None})


def test_a_tensor_beyond_its_storage(tmp_path: Path) -> None:
    """A pickle that says of a tensor that it is larger than what is stored."""
    path = written(tmp_path, {"state_dict": {"first_conv.bias": torch.zeros(3)}})
    source = zipfile.ZipFile(path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as made:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith("data.pkl"):
                assert data.count(b"K\x03\x85") == 1
                data = data.replace(b"K\x03\x85", b"K\x7f\x85")
            made.writestr(name, data)
    path.write_bytes(buffer.getvalue())
    assert "a tensor lies beyond its storage" in refused(path, CASE.hparams())
