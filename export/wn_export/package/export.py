"""From a checkpoint, or from the weights of a model directory, to a proven model directory."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wn_export.bundle import write as bundles
from wn_export.bundle.bundle import Bundle
from wn_export.graphs.parser_rules import OPSET
from wn_export.package import speech
from wn_export.package.cubins import NOT_AHEAD
from wn_export.package.graph_files import STEP, Graphs, graphs_of, write_models
from wn_export.package.libraries import keep_libraries
from wn_export.package.plan import quoted, was_version_compatible
from wn_export.package.preparation import AFTER_PARITY, BEFORE_PARITY, Preparation
from wn_export.package.staging import Staged, size, staged
from wn_export.parity import prove, reference
from wn_export.parity.clips import AUDIO_SAMPLES, choose_clips
from wn_runtime.arguments import integer
from wn_runtime.commands import next_step
from wn_runtime.engines.choice import MOST_BATCH, open_in
from wn_runtime.engines.cuda.kind import CUDA
from wn_runtime.engines.device_loop import step_cubin
from wn_runtime.engines.memory import check_streams
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec, context_in_words
from wn_targets.constraints import BROWSER, THIS_CPU, Constraints, constraints, this_cpu
from wn_targets.devices.catalogue import TARGETS, find
from wn_targets.models.fit import crossing
from wn_targets.precision import cuda_precision
from wn_train.pytorch_needed import pytorch_needed

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What to export."""

    fp16: bool = False
    batch: int | None = None
    """B of the step graphs; None: 1, or for a model directory what it has."""
    raw_weights: bool = False
    audio: tuple[Path, ...] = ()
    """Held-back audio for the reference, in place of the checkpoint's own clips."""
    frames: tuple[Path, ...] = ()
    """Those of `audio`, a file for each, for a model that takes them."""
    device: str | None = None
    """The name of a target in wn_targets, or cpu for this machine's: whose needs are met."""
    version_compatible: bool = False
    """Whether a plan is built to run in later versions of TensorRT too."""
    plain_plan: bool = False
    """Whether a plan is of the step graph, even where it could be fused."""
    generator: bool = False
    """Whether there is to be a generator graph."""
    bundle: Bundle | None = None
    """What is made of the directory for its device once it is there."""

    def __post_init__(self) -> None:
        if self.batch is not None:
            integer("batch", self.batch, 1, MOST_BATCH)


def export_checkpoint(path: Path, target: Path | None, options: Options, say: Say) -> bool:
    """Export a checkpoint to `target`, by default named after the model, in the current directory.

    Returns whether parity passed; where it did not, the directory is at DIR.failed and `target`
    is untouched. Raises WavestepError for bad input and for a target that cannot be replaced.
    """
    with pytorch_needed("a checkpoint"):
        from wn_export.parity import pytorch
        from wn_export.parity.trained import load
        from wn_train.data.clips import remembered

    trained = load(path, options.raw_weights)
    spec = trained.model.spec
    most = AUDIO_SAMPLES + remembered(spec)
    clips, material = choose_clips(trained, options.audio, most, options.frames)
    target = target or Path(trained.name)
    device = _constraints(options, target)
    graphs = _graphs(STEP, options, device)
    check_streams(spec, graphs.batch)
    with staged(target) as stage:
        say(_model_line(trained.name, spec))
        manifest = Manifest(
            format=manifests.FORMAT,
            name=trained.name,
            spec=spec,
            files={},
            state=layout(spec),
            temperature=trained.temperature,
            source=trained.source,
            versions=_versions("torch"),
        )
        manifest = speech.write(stage.path, manifest, trained.speech)
        manifest = write_models(stage.path, manifest, trained.weights, graphs)
        _say_graphs(manifest, device, say)
        draft = open_in(ModelPackage(stage.path), None, precision="fp32", threads=1)
        made = pytorch.make_reference(trained, clips, material, draft)
        draft.close()
        reference.save(stage.path / manifests.REFERENCE, made)
        return _finish(stage, manifest, options, device, say)


def rebuild(directory: Path, target: Path | None, options: Options, say: Say) -> bool:
    """Make the graphs and engines of a model directory anew from its weights, without torch.

    In place unless `target` is given. Returns and raises as `export_checkpoint`.
    """
    needing = {
        "--audio": options.audio,
        "--frames": options.frames,
        "--raw-weights": options.raw_weights,
    }
    for flag, given in needing.items():
        if given:
            raise WavestepError(
                f"{flag} needs PyTorch's outputs; give the checkpoint in place of {directory}"
            )
    package = ModelPackage(directory)
    reference.load(package)  # what is wrong with it is told before anything is made
    old, weights = package.manifest, package.weights
    target = target or directory
    device = _constraints(options, target)
    graphs = _graphs(graphs_of(old), options, device)
    check_streams(old.spec, graphs.batch)
    if was_version_compatible(old):
        options = dataclasses.replace(options, version_compatible=True)
    with staged(target) as stage:
        say(_model_line(old.name, old.spec))
        manifest = dataclasses.replace(
            old,
            files={},
            artifacts=(),
            parity=(),
            conditioner_parity=(),
            versions={**old.versions, **_versions()},
        )
        manifest = speech.copy(package, stage.path, manifest)
        manifest = write_models(stage.path, manifest, weights, graphs)
        _say_graphs(manifest, device, say)
        manifest = keep_libraries(directory, old, stage.path, manifest)
        (stage.path / manifests.REFERENCE).write_bytes(package.read(manifests.REFERENCE))
        return _finish(stage, manifest, options, device, say)


def _constraints(options: Options, target: Path) -> Constraints | None:
    if options.device is None:
        return None
    if options.device == THIS_CPU:
        return this_cpu(quoted(target))
    return constraints(find(options.device, THIS_CPU, BROWSER), quoted(target))


def _graphs(before: Graphs, options: Options, device: Constraints | None) -> Graphs:
    """What was there already and what is asked for, by the user or by the device."""
    half = options.fp16 or (device is not None and device.fp16) or "fp16" in before.precisions
    precisions = ("fp32", "fp16") if half else ("fp32",)
    generator = options.generator or before.generator
    return Graphs(precisions, options.batch or before.batch, generator)


def _finish(
    stage: Staged, manifest: Manifest, options: Options, device: Constraints | None, say: Say
) -> bool:
    """What engines need, parity and reports; then publish, or set aside."""
    manifest = manifests.with_file(manifest, stage.path / manifests.REFERENCE)
    fp16 = any(artifact.precision == "fp16" for artifact in manifest.artifacts)
    preparation = Preparation(
        stage.path,
        stage.target,
        fp16,
        options.version_compatible,
        device,
        options.plain_plan,
        every_precision=options.bundle is not None,
    )
    lines = []
    for prepare in BEFORE_PARITY.values():
        manifest, line = prepare(preparation, manifest)
        lines.append(line)
    manifests.write(stage.path, manifest)
    package = ModelPackage(stage.path)
    proof = prove.prove(package, reference.load(package), say)
    manifest = dataclasses.replace(
        manifest,
        parity=proof.rows,
        conditioner_parity=proof.conditioners,
        default_precision=proof.default_precision,
    )
    for prepare in AFTER_PARITY.values():
        manifest, line = prepare(preparation, manifest)
        lines.append(line)
    lacking = [line for line in lines if line is not None and NOT_AHEAD in line]
    for line in lines:
        if line is not None and line not in lacking:
            say(line)
    manifests.write(stage.path, manifest)
    prove.write_reports(stage.path, manifest, proof, say)
    if not proof.passed:
        failed = stage.set_aside()
        say(f"failed   outside tolerance: kept as {failed}/ to look at; {stage.target}/ unchanged")
        say(next_step.line("wn-inspect", failed))
        return False
    stage.publish()
    say(f"wrote    {stage.target}/  ({size(stage.target) / 1e6:.1f} MB)")
    for line in lacking:  # last, where nobody overlooks it
        say(f"warning: {' '.join(line.split())}")
    if device is not None and device.target in TARGETS:
        precisions = NATIVE.default_precision(manifest), cuda_precision(manifest)
        say(f"fit      {crossing(manifest.spec, TARGETS[device.target], *precisions)}")
    if options.bundle is not None:
        bundles.write(options.bundle, stage.target, say)
    elif device is not None:
        if device.first:
            say(f"first    on the device: {device.first}")
        say(f"next     on the device: {_first_trusted(manifest, stage.target)}{device.command}")
    else:
        say(next_step.to_run(stage.target, manifest))
    return True


def _first_trusted(manifest: Manifest, target: Path) -> str:
    """How the device's user comes to trust what was compiled ahead for it, where anything was."""
    ahead = (NATIVE.name, CUDA.name, step_cubin.ENGINE)
    files = [artifact.file for artifact in manifest.artifacts if artifact.engine in ahead]
    if not files:
        return ""
    what = " and ".join([", ".join(files[:-1]), files[-1]][len(files) < 2 :])
    what += " is code" if len(files) == 1 else " are code"
    return f"wn-run --trust {quoted(target)}, as {what}; then "


def _model_line(name: str, spec: ModelSpec) -> str:
    field = spec.receptive_field
    parts = [
        f"{spec.layers} layers",
        f"{spec.parameters / 1e6:.2f} M parameters",
        f"receptive field {field} samples ({1000 * field / spec.sample_rate:.0f} ms)"
        + context_in_words(spec),
        *(condition.counted for condition in spec.conditions),
    ]
    return f"model    {name}  {', '.join(parts)}"


def _say_graphs(manifest: Manifest, device: Constraints | None, say: Say) -> None:
    names = ", ".join(artifact.file for artifact in manifest.artifacts)
    batch = manifest.artifacts[0].batch
    say(f"graph    {names.ljust(34)}  opset {OPSET}" + f", batch {batch}" * (batch > 1))
    if device is not None:
        say(f"target   {device.why}")


def _versions(*more: str) -> dict[str, str]:
    packages = ("wavestep", "numpy", "onnx", "onnxruntime", *more)
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # onnxruntime-gpu in place of onnxruntime
    return found
