"""Model directories with a fused plan for the stand-in GPU, built by wn-export's own code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.models.model_dir import write_model
from tests.models.specs import random_weights
from wn_export.tensorrt.build import PLAN as PLAN
from wn_export.tensorrt.build import Builder
from wn_export.tensorrt.fused import add_fused_plan
from wn_runtime.engines import trust
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec


def builder(tensorrt: Any) -> Builder:
    """Of the stand-in, for its GPU."""
    gpu = tensorrt.gpu
    return Builder("tensorrt", tensorrt, gpu.name, f"{gpu.arch[:-1]}.{gpu.arch[-1]}")


def write_fused(directory: Path, spec: ModelSpec, tensorrt: Any, batch: int = 1) -> Path:
    """A directory of `write_model` with a fused engine.plan, which is trusted."""
    write_model(directory, spec, ("fp16",), batch)
    manifest = manifests.read(directory)
    manifest = add_fused_plan(directory, manifest, random_weights(spec), batch, builder(tensorrt))
    trust.add({manifest.files[PLAN].sha256: "a test's plan"})
    manifests.write(directory, manifest)
    return directory
