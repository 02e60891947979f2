"""What a new user is advised is of the machine: its packages, its Python, its kind of GPU."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from bench.errors.first_ten import CASES, answer
from tests.models import model_dir, specs

WHEEL = "@ file:///home/ann/wavestep-0.1.0-py3-none-any.whl'"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_dir.write_model(
        tmp_path_factory.mktemp("voice"), specs.small_spec((1,)), ("fp32",)
    )


@pytest.mark.parametrize(
    ("title", "machine", "words"),
    [
        ("no PyTorch", "pc", "pip install -e '/home/ann/wavestep[train]'"),
        ("no PyTorch", "jetson", f"pypi.jetson-ai-lab.io/jp6/cu126 'wavestep[train] {WHEEL}"),
        ("no PyTorch", "pi", "/usr/bin/python3 -m pip install --break-system-packages --extra-"),
        ("no cuda-core", "jetson", f"pip install 'wavestep[jetpack6] {WHEEL}"),
        ("no cuda-core", "pi", "(none is in this machine); take another engine"),
        ("no NVIDIA driver", "pc", "sudo apt install nvidia-driver-580, then restart"),
        ("no TensorRT", "jetson", "python3-libnvinfer && /usr/bin/python3 -m venv --system-site"),
        ("no pyworld", "pi", "sudo apt install g++ python3-dev && /usr/bin/python3 -m pip"),
    ],
)
def test_an_advice_is_of_its_machine(title: str, machine: str, words: str, model: Path) -> None:
    if title == "no NVIDIA driver" and importlib.util.find_spec("cuda") is None:
        pytest.skip("without cuda-core nobody asks for the driver")
    (case,) = (each for each in CASES if each.title == title)
    said, right = answer(case, machine, model)
    assert words in said
    assert right, said


def test_what_is_no_error_is_found(model: Path) -> None:
    (case,) = (each for each in CASES if each.title == "no ONNX Runtime")
    unlike = type(case)(case.title, "wn-run --help", case.module)
    said, right = answer(unlike, "pi", model)
    assert "Usage" in said
    assert not right
