"""Plans built on this machine, each in a process of its own: Polygraphy binds to one product."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="onnx is not installed: no graphs to build plans from")

from tests.models.model_dir import write_model
from tests.models.specs import random_weights
from wn_export.tensorrt.build import PLAN, find_builder
from wn_export.tensorrt.fused import add_fused_plan
from wn_runtime.engines import trust
from wn_runtime.engines.choice import open_engine
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import EngineUnavailable
from wn_runtime.model import manifest as manifests
from wn_runtime.model.spec import ModelSpec

BUILD = """
import sys
from pathlib import Path
from wn_export.tensorrt.build import add_plan, choose_graph, find_builder
from wn_runtime.engines import trust
from wn_runtime.model import manifest as manifests
folder, flavour, precision, compatible = sys.argv[1:]
manifest = manifests.read(Path(folder))
graph = choose_graph(manifest, precision == "fp16")
manifest = add_plan(Path(folder), manifest, graph, find_builder(flavour), compatible == "yes")
manifests.write(Path(folder), manifest)
trust.add({manifest.files["engine.plan"].sha256: "a test's plan"})
"""


def built(
    directory: Path,
    spec: ModelSpec,
    flavour: str,
    precision: str,
    batch: int = 1,
    compatible: bool = False,
) -> Path:
    """A model directory of random weights with engine.plan for this GPU; the plan's path."""
    write_model(directory, spec, (precision,), batch)
    arguments = [str(directory), flavour, precision, "yes" if compatible else "no"]
    process = subprocess.run(
        [sys.executable, "-c", BUILD, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert process.returncode == 0, process.stderr
    return directory / "engine.plan"


def fused(directory: Path, spec: ModelSpec, batch: int = 1) -> Path:
    """The same with a fused plan, of half precision."""
    write_model(directory, spec, ("fp16",), batch)
    manifest, builder = manifests.read(directory), find_builder("tensorrt")
    manifest = add_fused_plan(directory, manifest, random_weights(spec), batch, builder)
    manifests.write(directory, manifest)
    trust.add({manifest.files[PLAN].sha256: "a test's plan"})
    return directory / PLAN


def opened(path: Path, engine: str, precision: str | None = None, batch: int = 1) -> Engine:
    """The engine, or a skip that says why it cannot run here."""
    try:
        return open_engine(path, engine, precision, batch)
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
