"""Which precision a training uses where the hardware has no products of the one asked for."""

import pytest
import torch

from wn_runtime.system import cpu
from wn_train.training import precision

CPU = torch.device("cpu")


@pytest.fixture(params=["of torch", "of the system"], autouse=True)
def _known_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with the torch that tells of its CPU, once with an older one."""
    if request.param == "of the system":
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    elif not hasattr(torch.cpu, "get_capabilities"):
        pytest.skip("this torch does not tell of its CPU")


def on_a_cpu_with(monkeypatch: pytest.MonkeyPatch, *features: str) -> None:
    told = {"avx2": True, "cpu_name": "toy", **dict.fromkeys(features, True), "avx512_fp16": False}
    if hasattr(torch.cpu, "get_capabilities"):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told)
    monkeypatch.setattr(cpu, "features", lambda: frozenset({"avx2", *features}))
    precision._cpu_has_bf16.cache_clear()


@pytest.fixture(autouse=True)
def _forget() -> object:
    yield
    precision._cpu_has_bf16.cache_clear()


@pytest.mark.parametrize("feature", ["amx_bf16", "avx512_bf16", "bf16"])
def test_bf16_where_the_cpu_has_its_products(monkeypatch: pytest.MonkeyPatch, feature: str) -> None:
    on_a_cpu_with(monkeypatch, feature)
    assert precision.in_bf16("bf16", CPU)
    assert not precision.in_words("bf16", CPU)


def test_float32_where_a_cpu_would_imitate_them_and_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_a_cpu_with(monkeypatch)
    assert not precision.in_bf16("bf16", CPU)
    assert "no bfloat16 products" in precision.in_words("bf16", CPU)


def test_a_gpu_is_asked_for_nothing_and_fp32_and_auto_say_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_a_cpu_with(monkeypatch)
    assert precision.in_bf16("bf16", torch.device("cuda"))
    for asked in ("fp32", "auto"):
        assert not precision.in_bf16(asked, CPU)
        assert not precision.in_words(asked, CPU)


def test_of_an_unknown_cpu_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_cpu_with(monkeypatch)
    if hasattr(torch.cpu, "get_capabilities"):
        monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    monkeypatch.setattr(cpu, "features", frozenset)
    assert precision.in_bf16("bf16", CPU)
