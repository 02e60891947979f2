"""TensorRT-RTX, TensorRT's sibling whose parser and builder need no GPU."""

from __future__ import annotations

import pytest

from wn_export.tensorrt.build import Builder, find_builder


@pytest.fixture(scope="session")
def rtx() -> Builder:
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed")
    pytest.importorskip("polygraphy", reason="Polygraphy is not installed")
    return find_builder("tensorrt_rtx", without_gpu=True)
