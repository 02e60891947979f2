"""What does not fit into memory is refused before it is taken."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.models import specs
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.errors import WavestepError
from wn_runtime.model.spec import ModelSpec
from wn_train.data.chunks import Chunk
from wn_train.training import memory

GIB = 2**30
CPU = torch.device("cpu")
SMALL = [[Chunk(0, 0, 0, 100)] * 4]


def check(
    spec: ModelSpec,
    training: list[list[Chunk]] = SMALL,
    validation: list[list[Chunk]] = SMALL,
    shares: int = 1,
    number_bytes: int = 4,
) -> None:
    memory.check(spec, training, validation, shares, CPU, number_bytes)


@pytest.fixture(autouse=True)
def one_gibibyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: GIB)


def test_a_small_model_fits() -> None:
    check(specs.PLAIN)


def test_parameters_over_what_there_is_are_refused() -> None:
    large = dataclasses.replace(specs.PLAIN, residual_channels=4096, gate_channels=4096)
    with pytest.raises(WavestepError, match=r"training needs .* GiB of memory, .* parameters, and"):
        check(large)


def test_so_are_batches_of_either_split() -> None:
    large = [[Chunk(0, 0, 0, 100_000)] * 100]
    for training, validation in ((large, SMALL), (SMALL, large)):
        with pytest.raises(WavestepError, match=r"1\.0 GiB are available; take a smaller model"):
            check(specs.PLAIN, training, validation)


def test_a_share_of_a_batch_and_half_precision_need_less() -> None:
    large = [[Chunk(0, 0, 0, 10_000)] * 150]
    with pytest.raises(WavestepError):
        check(specs.PLAIN, large)
    check(specs.PLAIN, large, shares=4)
    check(specs.PLAIN, large, number_bytes=2)


def test_a_dilation_that_pads_every_row_counts() -> None:
    wide = dataclasses.replace(specs.PLAIN, dilations=(2**24,))
    with pytest.raises(WavestepError):
        check(wide, [[Chunk(0, 0, 0, 10)] * 8])


def test_what_only_conditioning_remembers_counts_by_what_it_leaves() -> None:
    stack = ContextStack(4, 8, 64, 3, 2, (1, 2, 2**14), 16)
    spec = specs.small_spec(conditioning=(stack,))
    chunk = Chunk(0, 2**17, 2**16 + 8, 100, memory=2**16)
    many, more = [[chunk] * 12], [[chunk] * 20]
    check(spec, many)
    with pytest.raises(WavestepError, match=r"training needs 1\.3 GiB"):
        check(spec, more)
    check(specs.PLAIN, more)  # the network is spared it


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    check(specs.PLAIN, [[Chunk(0, 0, 0, 10**9)] * 100])
