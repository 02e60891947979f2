"""Model directories with a plan for the stand-in GPU, as wn-export would have recorded it."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

from tests.cuda_on_cpu.tensorrt import plan_bytes
from tests.models.model_dir import write_model
from wn_runtime.engines import trust
from wn_runtime.engines.tensorrt.plan_record import PlanRecord
from wn_runtime.model import manifest as manifests
from wn_runtime.model import strict
from wn_runtime.model.manifest import Artifact
from wn_runtime.model.spec import ModelSpec

PLAN = "engine.plan"


def write_plan(
    directory: Path,
    spec: ModelSpec,
    precision: str = "fp32",
    batch: int = 1,
    user_allocation: bool = True,
    **changed: Any,
) -> Path:
    """A directory of `write_model` with engine.plan; `changed` are fields of its record."""
    write_model(directory, spec, (precision,), batch)
    manifest = manifests.read(directory)
    graph = manifest.artifacts[0]
    record = PlanRecord(
        flavour="tensorrt",
        version="10.3.0",
        platform=platform.machine(),
        gpu="Test GPU",
        compute_capability="8.7",
        version_compatible=False,
        onnx=graph.file,
        onnx_sha256=manifest.files[graph.file].sha256,
        seconds=1.0,
        working_bytes=1000,
    )
    record = dataclasses.replace(record, **changed)
    compute_capability = record.compute_capability or "8.7"
    onnx = (directory / graph.file).read_bytes()
    data = plan_bytes(onnx, record.version, compute_capability, user_allocation)
    (directory / PLAN).write_bytes(data)
    artifact = Artifact(PLAN, "tensorrt", precision, batch, strict.plain(record))
    plan = manifests.record(directory / PLAN)
    trust.add({plan.sha256: "a test's plan"})
    manifests.write(directory, manifests.with_artifact(manifest, artifact, plan))
    return directory
