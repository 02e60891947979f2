"""The manifest of a model directory: what is in it, where each part came from, and its proofs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wn_runtime import atomic
from wn_runtime.errors import WavestepError
from wn_runtime.model import strict
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import StateArray

FORMAT = 2
"""The format of model directories that this version writes and reads."""
CHECKPOINTS = (".pt", ".pth", ".ckpt")
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
REFERENCE = "reference.npz"


@dataclass(frozen=True)
class FileRecord:
    """What a file was when it was written."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Artifact:
    """A graph, library or plan that an engine runs."""

    file: str
    """Name within the directory; its checksum is in `files`."""
    engine: str
    """The `artifact` of the engine kinds that run it: `onnx`, `native` or `tensorrt`."""
    precision: str
    """`fp32`, `fp16`, `bf16` or `int8`."""
    batch: int
    """B: the streams it is built for."""
    built: dict[str, Any] = field(default_factory=dict)
    """How it was built and for what: versions, device, seconds, layer counts."""


@dataclass(frozen=True)
class ParityRow:
    """One engine and precision held against float32 PyTorch (see wn_export.parity.compare)."""

    engine: str
    precision: str
    max_error: float
    """max |delta params|, teacher-forced, over max |params|."""
    mean_error: float
    """mean |delta params| over max |params|."""
    delta_bits: float
    """Bits per sample above PyTorch's on the same audio."""
    samples_compared: int
    """Free-running samples compared, all streams together."""
    first_difference: int | None
    """Index of the first free-running sample that differs; None when all are the same."""
    margin: float | None
    """How far apart the two draws were at that sample (`Head.margin`)."""
    passed: bool


@dataclass(frozen=True)
class ConditionerRow:
    """One way of computing the gates' bias held against float32 PyTorch."""

    name: str
    """`numpy`, what the engines use, or `onnx`: conditioner.onnx."""
    max_error: float
    """max |delta bias| over max |bias|."""
    passed: bool


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`."""

    format: int
    name: str
    spec: ModelSpec
    files: dict[str, FileRecord]
    """Every file of the directory but this one and the reports."""
    artifacts: tuple[Artifact, ...] = ()
    parity: tuple[ParityRow, ...] = ()
    conditioner_parity: tuple[ConditionerRow, ...] = ()
    default_precision: dict[str, str] = field(default_factory=dict)
    """Engine to the precision it takes when none is asked for: the fastest that passed parity."""
    state: dict[str, StateArray] = field(default_factory=dict)
    """What a host of the step graph carries from sample to sample (`model.layout`)."""
    source: dict[str, Any] = field(default_factory=dict)
    """The checkpoint's own words: its file name, training step, validation bits, attribution."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of what wrote the directory."""


def read(directory: Path) -> Manifest:
    """Read `manifest.json`. Raises WavestepError if it is missing, broken or of another format."""
    path = directory / MANIFEST
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise WavestepError(
            f"{directory} is not a model directory: {MANIFEST} is missing; make one with wn-export"
        ) from error
    except (OSError, ValueError) as error:
        raise WavestepError(f"{path} cannot be read ({error}); export the model again") from error
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version != FORMAT:
        mend = "upgrade wavestep" if version > FORMAT else "export the model again"
        raise WavestepError(f"{path} has format {version}, this version reads {FORMAT}; {mend}")
    manifest = strict.parse(Manifest, data, str(path))
    for name in [*manifest.files, *(artifact.file for artifact in manifest.artifacts)]:
        if Path(name).name != name or name in ("", ".", ".."):
            raise WavestepError(f"{path}: file name {name!r} leaves the directory")
    return manifest


def write(directory: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into a directory, beside the old one and then renamed."""
    text = json.dumps(strict.plain(manifest), indent=1, ensure_ascii=False)
    atomic.write(directory / MANIFEST, text + "\n")


def record(path: Path) -> FileRecord:
    """The record of a file as it is now."""
    data = path.read_bytes()
    return FileRecord(hashlib.sha256(data).hexdigest(), len(data))


def verify(directory: Path, manifest: Manifest, *names: str) -> None:
    """Check files against their records: those named, or all of the manifest.

    Raises WavestepError that names the first file missing, truncated or changed.
    """
    for name in names or manifest.files:
        path = directory / name
        expected = manifest.files.get(name)
        if expected is None:
            raise WavestepError(f"{path} is not in {MANIFEST}; export the model again")
        try:
            found = record(path)
        except OSError as error:
            raise WavestepError(
                f"{path} cannot be read ({error.strerror}); export the model again"
            ) from error
        if found.bytes != expected.bytes:
            raise WavestepError(
                f"{path} has {found.bytes} bytes, {MANIFEST} says {expected.bytes}: "
                "truncated or changed; export the model again"
            )
        if found.sha256 != expected.sha256:
            raise WavestepError(
                f"{path} is not the file {MANIFEST} describes (sha256 {found.sha256[:12]}…, "
                f"expected {expected.sha256[:12]}…); export the model again"
            )


def with_file(manifest: Manifest, path: Path) -> Manifest:
    """The manifest with the record of a file as it is now."""
    return dataclasses.replace(manifest, files={**manifest.files, path.name: record(path)})


def with_artifact(manifest: Manifest, artifact: Artifact, file: FileRecord) -> Manifest:
    """The manifest with one artifact more, in place of one of the same file name."""
    others = tuple(a for a in manifest.artifacts if a.file != artifact.file)
    return dataclasses.replace(
        manifest,
        artifacts=(*others, artifact),
        files={**manifest.files, artifact.file: file},
    )


def locate(path: Path) -> tuple[Path, str | None]:
    """A model directory and, where `path` names a file of one, that file's name.

    Raises WavestepError when nothing is there, for a checkpoint, and when no manifest lies
    beside the file.
    """
    if path.is_dir():
        return path, None
    beside = (path.parent / MANIFEST).exists()
    if not path.exists():
        if beside and path.suffix == ".plan":
            raise WavestepError(
                f"{path} does not exist; build it on this machine with wn-export {path.parent} "
                "--fp16"
            )
        raise WavestepError(f"{path} does not exist; give a model directory made by wn-export")
    if not beside and path.suffix in CHECKPOINTS:
        raise WavestepError(
            f"{path} is a training checkpoint; run `wn-export {path}` and give the directory it "
            "writes"
        )
    if not beside:
        raise WavestepError(
            f"{path} has no {MANIFEST} beside it; give a model directory that wn-export wrote, "
            "or a file in one"
        )
    return path.parent, path.name
