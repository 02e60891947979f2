"""engine.plan, as a step of wn-export: built where TensorRT and a GPU are, else said how."""

from __future__ import annotations

import shlex
from pathlib import Path

from wn_export.package.trusted import trust_own
from wn_export.tensorrt.build import PLAN, TIMING_CACHE, add_plan, choose_graph, find_builder
from wn_export.tensorrt.fused import add_fused_plan
from wn_runtime import files
from wn_runtime.engines.tensorrt.module import PRODUCTS
from wn_runtime.errors import EngineUnavailable, WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage

MOST_TIMING = 2**26
"""Bytes of a timing cache that is used again."""


def try_plan(
    directory: Path,
    manifest: Manifest,
    target: Path,
    fp16: bool,
    version_compatible: bool = False,
    plain: bool = False,
) -> tuple[Manifest, str | None]:
    """Build the plan of `directory`, which is to become `target`: the manifest, and what to say.

    In half precision it is fused where it can be, unless it is to be `plain`, of the step graph.

    The timing cache of an older plan in `target` is used again where this user made it, and what
    is built here this user trusts. Without a builder the manifest comes back as it was. Raises
    WavestepError where the graph cannot be built as asked.
    """
    try:
        builder = find_builder()
    except EngineUnavailable as unavailable:
        reason = str(unavailable).split(";")[0].split(" (")[0]
        flags = " --fp16" * fp16 + " --version-compatible" * version_compatible
        flags += " --plain-plan" * plain
        command = f"wn-export {quoted(target)}/{flags}"
        return manifest, f"engine   {reason}: run `{command}` on the device to build {PLAN}"
    graph, built, how = choose_graph(manifest, fp16), None, ""
    if fp16 and not (plain or version_compatible):
        weights = ModelPackage(directory).weights
        try:
            built = add_fused_plan(directory, manifest, weights, graph.batch, builder)
            how = ", the fused kernel"
        except WavestepError as reason:
            how = f", of the step graph: {reason}"
    if built is None:
        old = _with_older_timing(directory, target)
        built = add_plan(directory, manifest, graph, builder, version_compatible, old)
    manifest = built
    seconds = manifest.artifacts[-1].built["seconds"]
    product = f"{PRODUCTS[builder.flavour]} {builder.trt.__version__}"
    made = {
        manifests.record(directory / name).sha256: target / name
        for name in (PLAN, TIMING_CACHE)
        if (directory / name).exists()
    }
    line = f"engine   {PLAN}  {product} for {builder.gpu}, built in {seconds:.0f} s{how}"
    return manifest, line + trust_own(made)


def was_version_compatible(manifest: Manifest) -> bool:
    """Whether the plan of a directory was built to run in later versions of TensorRT too.

    Whoever says so, it asks the builder here for such a plan; what runs is decided by its digest.
    """
    plans = [artifact for artifact in manifest.artifacts if artifact.engine == "tensorrt"]
    return any(plan.built.get("version_compatible") is True for plan in plans)


def quoted(path: Path) -> str:
    """A path in a command to type."""
    return shlex.quote(str(path))


def _with_older_timing(directory: Path, target: Path) -> Manifest | None:
    """Put the timing cache of `target` into `directory`; whose it is, None where there is none.

    `add_plan` uses it only where it is trusted.
    """
    try:
        data = files.read(files.inside(target, TIMING_CACHE), MOST_TIMING)
        old = manifests.read(target)
    except (OSError, WavestepError):
        return None  # a cache of unknown origin is not used
    (directory / TIMING_CACHE).write_bytes(data)
    return old
