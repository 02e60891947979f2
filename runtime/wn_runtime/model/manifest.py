"""The manifest of a model directory: what is in it, where each part came from, and its proofs."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wn_runtime import atomic, files
from wn_runtime.arguments import shown
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import json_file, names, strict
from wn_runtime.model.spec import MOST_STREAMS, ModelSpec
from wn_runtime.model.state import StateArray
from wn_runtime.speech.spec import SpeechSpec

FORMAT = 2
"""The format of model directories that this version writes and reads."""
TRAINED = ("best.pt", "last.pt")
"""The checkpoints in the folder of a run of wn-train: the best, and the last."""
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
REFERENCE = "reference.npz"
SPEECH = "speech.safetensors"
DICTIONARY = "dictionary.txt"
PRECISIONS = ("fp32", "fp16", "bf16", "int8")
HOTTEST = 100.0
_NO_ARTIFACTS = (MANIFEST, WEIGHTS, REFERENCE, SPEECH, DICTIONARY)
_MOST_BYTES = 2**33
"""Of a file: twice the largest weights. To hash more takes minutes."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileRecord:
    """What a file was when it was written."""

    sha256: str
    bytes: int

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.sha256) or not 0 <= self.bytes <= _MOST_BYTES:
            raise ValueError(f"{self.sha256!r} with {self.bytes} bytes is no file's record")


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

    def __post_init__(self) -> None:
        names.check(self.file, "file name")
        names.check(self.engine, "engine")
        _check_precision(self.precision)
        if not 1 <= self.batch <= MOST_STREAMS:
            raise ValueError(f"batch is {self.batch}; it must be 1 to {MOST_STREAMS}")


@dataclass(frozen=True)
class ParityRow:
    """One engine and precision held against float32 PyTorch (see wn_export.parity.compare)."""

    engine: str
    precision: str
    max_error: float | None
    """max |delta params|, teacher-forced, over max |params|; None: they were not numbers."""
    mean_error: float | None
    """mean |delta params| over max |params|."""
    delta_bits: float | None
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
    max_error: float | None
    """max |delta bias| over max |bias|; None: it was not a number."""
    passed: bool


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`."""

    format: int
    """FORMAT, of what wrote it."""
    name: str
    """What the model is called."""
    spec: ModelSpec
    """What it is: shapes, head, conditions."""
    files: dict[str, FileRecord]
    """Every file of the directory but this one and the reports."""
    artifacts: tuple[Artifact, ...] = ()
    """What engines run beside the weights."""
    parity: tuple[ParityRow, ...] = ()
    """The proof, for each engine and precision."""
    conditioner_parity: tuple[ConditionerRow, ...] = ()
    """The proof of the gates' bias."""
    default_precision: dict[str, str] = field(default_factory=dict)
    """Engine to the precision it takes when none is asked for: the fastest that passed parity."""
    state: dict[str, StateArray] = field(default_factory=dict)
    """What a host of the step graph carries from sample to sample (`model.layout`)."""
    temperature: float = 1.0
    """What a stream takes that is given none, chosen by listening."""
    speech: SpeechSpec | None = None
    """The front end whose weights are in speech.safetensors and its words in dictionary.txt; None
    for a model that does not speak."""
    source: dict[str, Any] = field(default_factory=dict)
    """The checkpoint's own words: its file name, training step, validation bits, attribution."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of what wrote the directory."""

    def __post_init__(self) -> None:
        names.check(self.name, "name")
        for name in self.files:
            names.check(name, "file name")
        of_artifacts: set[str] = set()
        for artifact in self.artifacts:
            if artifact.file in of_artifacts or artifact.file in _NO_ARTIFACTS:
                raise ValueError(f"file {artifact.file!r} is no engine's, or is one's twice")
            of_artifacts.add(artifact.file)
        check_temperature(self.temperature)
        if self.speech is not None:
            self.speech.check(self.spec, "speech")
        for engine, precision in self.default_precision.items():
            names.check(engine, "engine")
            _check_precision(precision)


def check_temperature(temperature: float) -> None:
    """Raise ValueError for what no voice can have."""
    if not 0 <= temperature <= HOTTEST:
        raise ValueError(f"temperature is {temperature}; it must be 0 to {HOTTEST:.0f}")


def _check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise ValueError(unknown("precision", precision, PRECISIONS))


def read(directory: Path) -> Manifest:
    """Read `manifest.json`. Raises WavestepError if it is missing, broken or of another format."""
    path = directory / MANIFEST
    try:
        data = json_file.load(files.inside(directory, MANIFEST))
    except (FileNotFoundError, NotADirectoryError) as error:
        trained = any((directory / name).is_file() for name in TRAINED)
        way = f"run `wn-export {directory}`" if trained else "make one with wn-export"
        raise WavestepError(
            f"{directory} is not a model directory: {MANIFEST} is missing; {way}"
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise WavestepError(f"{path} cannot be read ({error}); export the model again") from error
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version != FORMAT:
        mend = "upgrade wavestep" if version > FORMAT else "export the model again"
        raise WavestepError(
            f"{path} has format {shown(version)}, this version reads {FORMAT}; {mend}"
        )
    return strict.parse(Manifest, data, str(path))


def write(directory: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into a directory, beside the old one and then renamed."""
    text = json.dumps(strict.plain(manifest), indent=1, ensure_ascii=False, allow_nan=False)
    atomic.write(directory / MANIFEST, text + "\n")


def record(path: Path) -> FileRecord:
    """The record of a regular file as it is now. Raises OSError."""
    size, sha256 = files.size_and_sha256(path)
    return FileRecord(sha256, size)


def verify(directory: Path, manifest: Manifest, *names: str) -> None:
    """Check files against their records: those named, or all of the manifest.

    Raises WavestepError that names the first file missing, truncated or changed.
    """
    for name in names or manifest.files:
        expected, path = _recorded(directory, manifest, name), directory / name
        try:
            found = files.size_and_sha256(files.inside(directory, name), expected.bytes)
        except OSError as error:
            raise _unreadable(path, error) from error
        _compare(path, expected, *found)


def read_file(directory: Path, manifest: Manifest, name: str) -> bytes:
    """A file of the directory, if it is what its record says. Raises WavestepError as `verify`.

    The bytes that are returned are those that were checked, whatever becomes of the file.
    """
    expected, path = _recorded(directory, manifest, name), directory / name
    try:
        found = files.inside(directory, name)
        size = found.stat().st_size
        data = files.read(found, expected.bytes) if size == expected.bytes else b""
    except OSError as error:
        raise _unreadable(path, error) from error
    _compare(path, expected, len(data) or size, hashlib.sha256(data).hexdigest())
    return data


def _recorded(directory: Path, manifest: Manifest, name: str) -> FileRecord:
    expected = manifest.files.get(name)
    if expected is None:
        raise WavestepError(f"{directory / name} is not in {MANIFEST}; export the model again")
    return expected


def _unreadable(path: Path, error: OSError) -> WavestepError:
    mend = "export the model again"
    if error.errno == errno.EACCES:
        mend = f"make it readable: chmod u+r {path}"
    return WavestepError(f"{path} cannot be read ({error.strerror}); {mend}")


def _compare(path: Path, expected: FileRecord, size: int, sha256: str) -> None:
    if size != expected.bytes:
        raise WavestepError(
            f"{path} has {size} bytes, {MANIFEST} says {expected.bytes}: "
            "truncated or changed; export the model again"
        )
    if sha256 != expected.sha256:
        raise WavestepError(
            f"{path} is not the file {MANIFEST} describes (sha256 {sha256[:12]}…, "
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
