"""wn-export on this machine: plan built, and all engines held to PyTorch at all three levels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.gpu.conftest import Figures
from tests.models.specs import CORNERS
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.device_loop.device import CudaDevice
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import ParityRow


@pytest.mark.parametrize("fp16", [False, True], ids=["fp32", "fp16"])
def test_an_export_holds_every_engine_of_this_machine_to_pytorch(
    tmp_path: Path, gpu: CudaDevice, figures: Figures, fp16: bool
) -> None:
    """And `wn-export DIR` makes a plan that is broken anew."""
    if trt_module.installed() is None:
        pytest.skip(f"TensorRT is not installed; {trt_module.how_to_get()}")
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed: no graphs to build plans from")
    from tests.export.checkpoints import write_checkpoint
    from wn_export.package.export import Options, export_checkpoint, rebuild

    said: list[str] = []
    voice, options = tmp_path / "voice", Options(fp16=fp16)
    checkpoint = write_checkpoint(tmp_path / "voice.pt", CORNERS["two_conditions"])
    try:
        passed = export_checkpoint(checkpoint, voice, options, said.append)
    except WavestepError as error:
        pytest.fail(f"{error}\n" + "\n".join(said))
    assert passed, "\n".join(said)
    check_plan(rows := manifests.read(voice).parity, fp16)

    (voice / "engine.plan").write_bytes(b"broken")
    with pytest.raises(WavestepError, match="truncated or changed"):
        open_engine(voice / "engine.plan")
    assert rebuild(voice, None, options, said.append), "\n".join(said)
    check_plan(manifests.read(voice).parity, fp16)
    open_engine(voice / "engine.plan").close()
    figures += [{"what": "parity", **dataclasses.asdict(row)} for row in rows]


def check_plan(rows: tuple[ParityRow, ...], fp16: bool) -> None:
    """The plan is among what was proven, and as the model."""
    plan = {(r.engine, r.precision): r for r in rows}["tensorrt", "fp16" if fp16 else "fp32"]
    assert plan.passed
    assert plan.delta_bits is not None
    assert plan.delta_bits < 0.01
    assert plan.samples_compared > 0
