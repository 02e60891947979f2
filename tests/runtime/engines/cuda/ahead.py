"""A model directory with cubins for the stand-in's GPU."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from wn_runtime.engines import trust
from wn_runtime.engines.cuda.choose import Choice, Kind, cost_of
from wn_runtime.engines.cuda.costs import Gpu
from wn_runtime.engines.cuda.precompile import precompile
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Artifact

ORIN = Gpu("8.7", 16, 163 * 1024)


def add_cubin(
    directory: Path,
    precision: str,
    kind: str = "alone:1",
    trusted: bool = True,
    gpu: Gpu = ORIN,
    **built: Any,
) -> Artifact:
    """Compile one into a model directory; `built` is what its record says otherwise."""
    manifest = manifests.read(directory)
    schedule = Kind.of(kind).schedule(manifest.spec, precision, gpu)
    choice = Choice(Kind.of(kind), schedule, cost_of(schedule, 1, gpu))
    artifact, code = precompile(choice, gpu, {"1": 16000.0}, "orin-nano-8gb")
    (directory / artifact.file).write_bytes(code)
    artifact = dataclasses.replace(artifact, built={**artifact.built, **built})
    record = manifests.record(directory / artifact.file)
    if trusted:
        trust.add({record.sha256: artifact.file})
    manifests.write(directory, manifests.with_artifact(manifest, artifact, record))
    return artifact
