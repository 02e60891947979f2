"""wn-export on this machine: plan built, and all engines held to PyTorch at all three levels."""

from __future__ import annotations

import pytest

from tests.specs import CORNERS
from wn_runtime.engines.tensorrt import module as trt_module
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests


@pytest.mark.parametrize("fp16", [False, True], ids=["fp32", "fp16"])
def test_an_export_holds_every_engine_of_this_machine_to_pytorch(tmp_path, gpu, figures, fp16):
    pytest.importorskip("torch", reason="torch is not installed")
    if trt_module.installed() is None:
        pytest.skip(f"TensorRT is not installed; {trt_module.how_to_get()}")
    from tests.export.checkpoints import write_checkpoint
    from wn_export.package.export import Options, export_checkpoint

    said: list[str] = []
    checkpoint = write_checkpoint(tmp_path / "voice.pt", CORNERS["two_conditions"])
    try:
        passed = export_checkpoint(checkpoint, tmp_path / "voice", Options(fp16=fp16), said.append)
    except WavestepError as error:
        pytest.fail(f"{error}\n" + "\n".join(said))
    assert passed, "\n".join(said)
    manifest = manifests.read(tmp_path / "voice")
    rows = {(row.engine, row.precision): row for row in manifest.parity}
    plan = rows["tensorrt", "fp16" if fp16 else "fp32"]
    assert plan.passed
    assert plan.delta_bits < 0.01
    assert plan.samples_compared > 0
    figures += [
        {"what": "parity", "engine": row.engine, "precision": row.precision,
         "max_logit_error": row.max_logit_error, "delta_bits": row.delta_bits,
         "first_difference": row.first_difference, "passed": row.passed}
        for row in manifest.parity
    ]  # fmt: skip
