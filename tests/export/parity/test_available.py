"""What a model offers and what of it this machine can run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.models import model_dir, specs
from wn_export.parity import available
from wn_export.parity.available import Unavailable, candidates, opened
from wn_runtime.engines.choice import open_in
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model.package import ModelPackage


@pytest.fixture
def package(tmp_path: Path) -> ModelPackage:
    return ModelPackage(model_dir.write_model(tmp_path / "voice", specs.PLAIN, ("fp32", "fp16"), 3))


def test_a_graph_is_offered_for_its_batch_and_the_native_engine_for_one_stream(
    package: ModelPackage,
) -> None:
    found = [(c.engine, c.precision, c.batch) for c in candidates(package)]
    assert [row for row in found if row[0] == "onnx"] == [("onnx", "fp32", 3), ("onnx", "fp16", 3)]
    assert [row for row in found if row[0] == "native"] == [
        ("native", precision, 1) for precision in ("int8", "bf16", "fp32")
    ]
    assert not [row for row in found if row[0] == "tensorrt"], "it has no plan"


def test_the_native_engine_is_opened_at_each_of_its_precisions(package: ModelPackage) -> None:
    try:
        engines = list(opened(package, "native", required=True))
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    assert [each.precision for each in engines] == ["int8", "bf16", "fp32"]


def test_an_engine_is_closed_before_the_next_is_opened(
    package: ModelPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []

    def watched(*arguments: Any, **named: Any) -> Engine:
        engine = open_in(*arguments, **named)
        log.append(f"open {engine.precision}")
        monkeypatch.setattr(engine, "close", lambda: log.append(f"close {engine.precision}"))
        return engine

    monkeypatch.setattr(available, "open_in", watched)
    for _ in opened(package, "onnx"):
        log.append("use")
    assert log == [
        *("open fp32", "use", "close fp32"),
        *("open fp16", "use", "close fp16"),
    ]


def test_an_engine_that_cannot_run_here_is_told_or_is_an_error(
    package: ModelPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> NoReturn:
        raise EngineUnavailable("no ONNX Runtime here")

    monkeypatch.setattr(available, "open_in", refuse)
    assert list(opened(package, "onnx")) == [
        Unavailable("onnx", precision, "no ONNX Runtime here") for precision in ("fp32", "fp16")
    ]
    with pytest.raises(EngineUnavailable):
        list(opened(package, "onnx", required=True))


def test_a_file_that_is_broken_is_an_error_and_not_an_engine_unavailable(
    package: ModelPackage,
) -> None:
    (package.directory / "step.onnx").write_bytes(b"changed")
    with pytest.raises(WavestepError, match=r"step\.onnx has 7 bytes"):
        list(opened(package, "onnx"))


def test_an_unknown_engine_and_one_without_a_file_are_told(package: ModelPackage) -> None:
    with pytest.raises(WavestepError, match=r"engine 'onx' is unknown.*did you mean 'onnx'"):
        candidates(package, "onx")
    with pytest.raises(WavestepError, match="holds nothing for the tensorrt engine; export it"):
        candidates(package, "tensorrt")
