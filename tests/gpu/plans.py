"""Plans built on this machine, each in a process of its own: Polygraphy binds to one product."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.model_dir import write_model
from wn_runtime.model.spec import ModelSpec

BUILD = """
import sys
from pathlib import Path
import onnx
from tests.specs import random_weights
from wn_export.tensorrt.build import add_plan, choose_graph, find_builder
from wn_export.graphs.chunk import build_chunk_graph
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact
folder, flavour, precision, batch, steps, compatible = sys.argv[1:]
folder, batch, steps = Path(folder), int(batch), int(steps)
manifest = manifests.read(folder)
if steps > 1:
    spec = manifest.spec
    graph = build_chunk_graph(spec, random_weights(spec), steps, precision, batch)
    onnx.save(graph, folder / "chunk.onnx")
    entry = Artifact("chunk.onnx", "onnx", precision, batch, steps)
    manifest = manifests.with_artifact(manifest, entry, manifests.record(folder / "chunk.onnx"))
graph = choose_graph(manifest, precision == "fp16")
builder = find_builder(flavour)
manifests.write(folder, add_plan(folder, manifest, graph, builder, compatible == "yes"))
"""


def built(
    directory: Path,
    spec: ModelSpec,
    flavour: str,
    precision: str,
    batch: int = 1,
    steps: int = 1,
    compatible: bool = False,
) -> Path:
    """A model directory of random weights with engine.plan for this GPU; the plan's path."""
    write_model(directory, spec, (precision,), batch)
    process = subprocess.run(
        [sys.executable, "-c", BUILD, str(directory), flavour, precision, str(batch), str(steps),
         "yes" if compatible else "no"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return directory / "engine.plan"
