"""What wn-targets is asked about may be anything: a model, or one line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.models.specs import PLAIN
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_targets.commands.targets import main
from wn_targets.devices.catalogue import TARGETS
from wn_targets.models.fit import fit
from wn_targets.presets import PRESETS
from wn_targets.subject import subject

SPEC: dict[str, Any] = PLAIN.to_dict()


def error_of(*arguments: object) -> str:
    """The one line of a command that must be refused."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "model '' is unknown; presets are: tiny"),
        (".", "is not a model directory"),
        ("/dev/zero", "has no manifest.json beside it"),
        ("missing", "model 'missing' is unknown; presets are: tiny"),
        ("missing.json", "missing.json cannot be read as JSON: No such file"),
        ("pipe.json", "it is a named pipe, not a file"),
        ("zero.json", "it is a device, not a file"),
        ("folder.json", "it is a directory, not a file"),
        ("loop.json", "Too many levels of symbolic links"),
        ("voice.pt", "is a checkpoint"),
        ("x" * 300, "File name too long"),
        ("x" * 300 + ".json", "File name too long"),
        ("folder.json/manifest.json", "folder.json"),
    ],
)
def test_what_is_no_model_is_one_line(
    tmp_path: Path, name: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.json")
    Path("zero.json").symlink_to("/dev/zero")
    Path("folder.json").mkdir()
    Path("loop.json").symlink_to("loop.json")
    assert fault in error_of("fit", name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000 + "]" * 100_000,
        '{"sample_rate": ' + "9" * 5000 + "}",
        '{"sample_rate": NaN}',
        '{"sample_rate": 8000, "sample_rate": 8000}',
        "\x00\xff",
        json.dumps({**SPEC, "name": 1}),
        json.dumps({**SPEC, "dilations": []}),
        json.dumps({**SPEC, "dilations": [10**9]}),
        json.dumps({**SPEC, "dilations": [1] * 2000}),
        json.dumps({**SPEC, "residual_channels": 2**31}),
        json.dumps({**SPEC, "kernel": 1}),
        json.dumps({**SPEC, "output": {"kind": "softmax", "classes": 10**9}}),
        json.dumps({**SPEC, "output": {"kind": "../x"}}),
        json.dumps({**SPEC, "residual_scale": 1e308}),
    ],
)
def test_a_spec_that_is_none_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(WavestepError, match=r"spec\.json") as told:
        subject(str(path))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("rate", ["0", "-1", "1000001", str(10**40), "nan", "1.5", "²", ""])
def test_a_rate_that_no_model_has_is_one_line(rate: str) -> None:
    assert "rate" in error_of("fit", "tiny", "--rate", rate)


@pytest.mark.parametrize("streams", ["0", "-1", "65537", str(10**40), "nan"])
def test_more_streams_than_there_can_be_are_one_line(streams: str) -> None:
    assert "--streams" in error_of("fit", "tiny", "--streams", streams)


@pytest.mark.parametrize("name", ["", "nano2", "..", "x" * 5000, "\x1b[31m"])
def test_a_device_that_nobody_knows_is_one_line(name: str) -> None:
    for arguments in (("show", name), ("fit", "tiny", name)):
        said = error_of(*arguments)
        assert "is unknown; known are: " in said
        assert said.strip().isprintable()
        assert len(said) < 2000


def largest() -> list[ModelSpec]:
    """Of every kind as large as a spec may be, and as small."""
    half = 2**16 - 2
    return [
        ModelSpec(1, (1,), residual_channels=1, gate_channels=2, skip_channels=1, head_channels=1),
        ModelSpec(1_000_000, (1,) * 1024, residual_channels=64, gate_channels=512),
        ModelSpec(1, (2**20,), kernel=256, residual_channels=1, gate_channels=2),
        ModelSpec(1, (1,), residual_channels=1, gate_channels=half, skip_channels=2**14),
    ]


@pytest.mark.parametrize("streams", [1, pytest.param(2**16, marks=pytest.mark.slow)])
def test_the_largest_models_have_predictions_everywhere(streams: int) -> None:
    for spec in [*largest(), *PRESETS.values()]:
        for target in TARGETS.values():
            found = fit(spec, target, streams)
            for one in found.candidates:
                assert 0 < one.samples_per_second < 1e12
                assert 0 < found.real_time_factor(one) < 1e12
                assert 0 < one.memory_mb < 1e12


def test_a_precision_that_the_native_engine_has_not_is_none_of_its(tmp_path: Path) -> None:
    from wn_runtime.model import manifest as manifests
    from wn_runtime.model.manifest import FORMAT, Manifest

    (tmp_path / "voice").mkdir()
    made = Manifest(FORMAT, "voice", PLAIN, {}, default_precision={"native": "fp16"})
    manifests.write(tmp_path / "voice", made)
    assert CliRunner().invoke(main, ["fit", str(tmp_path / "voice")]).exit_code == 0


def test_names_are_shown_escaped(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31mred\n.json"
    path.write_text(json.dumps(SPEC))
    for more in ((), ("--json",)):
        result = CliRunner().invoke(main, ["fit", str(path), *more])
        assert result.exit_code == 0, result.stderr
        assert result.stdout.replace("\n", "").isprintable()
