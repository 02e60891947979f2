"""A model directory, opened once: its manifest, its files verified, its weights and conditioner.

Engines of one model share a package, and through it whatever they make of the weights; the n-th
costs the memory of its streams only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, TypeVar, cast

from wn_runtime.arguments import wrong_type
from wn_runtime.conditioning.conditioner import Conditioner
from wn_runtime.errors import WavestepError, unknown
from wn_runtime.model import manifest as manifests
from wn_runtime.model import weights as canonical
from wn_runtime.model.locating import locate
from wn_runtime.model.manifest import Artifact, Manifest
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.weights import Weights
from wn_runtime.speech import dictionary
from wn_runtime.speech.front_end import FrontEnd, check_phones

T = TypeVar("T")


class ModelPackage:
    """A directory that wn-export made. May be used by several threads."""

    def __init__(self, directory: Path) -> None:
        """Raises WavestepError where there is none, or its manifest is broken."""
        self.directory = directory
        self.manifest: Manifest = manifests.read(directory)
        self._verified: set[str] = set()
        self._shared: dict[Hashable, Any] = {}
        self._lock = threading.RLock()

    @property
    def spec(self) -> ModelSpec:
        """What the model is."""
        return self.manifest.spec

    def verify(self, *names: str) -> None:
        """Check files against their records, each once: those named, or all of the manifest.

        Raises WavestepError that names the first file missing, truncated or changed.
        """
        with self._lock:
            for name in names or self.manifest.files:
                if name not in self._verified:
                    manifests.verify(self.directory, self.manifest, name)
                    self._verified.add(name)

    def read(self, name: str) -> bytes:
        """A file's bytes, as its record says they are. Raises WavestepError."""
        data = manifests.read_file(self.directory, self.manifest, name)
        self._verified.add(name)
        return data

    @property
    def weights(self) -> Weights:
        """The canonical weights, verified and loaded when first asked for. Raises WavestepError."""
        return self.shared("weights", self._load_weights)

    @property
    def conditioner(self) -> Conditioner:
        """From conditions and frames to the gates' bias."""
        return self.shared("conditioner", self._make_conditioner)

    @property
    def front_end(self) -> FrontEnd | None:
        """From a text to frames; None for a model that does not speak. Raises WavestepError."""
        if self.manifest.speech is None:
            return None
        return self.shared("front end", self._make_front_end)

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all who ask with the same key."""
        with self._lock:
            if key not in self._shared:
                self._shared[key] = make()
            return cast(T, self._shared[key])

    def artifact(self, file: str) -> Artifact:
        """The record of an engine's file. Raises WavestepError where it is no engine's."""
        for artifact in self.manifest.artifacts:
            if artifact.file == file:
                return artifact
        known = [artifact.file for artifact in self.manifest.artifacts]
        raise WavestepError(unknown("engine file", file, known, f"{self.directory} has"))

    def _load_weights(self) -> Weights:
        where = str(self.directory / manifests.WEIGHTS)
        return canonical.parse(self.read(manifests.WEIGHTS), self.spec, where)

    def _make_front_end(self) -> FrontEnd:
        spec = self.manifest.speech
        assert spec is not None
        where = str(self.directory / manifests.SPEECH)
        weights = canonical.parse_shapes(self.read(manifests.SPEECH), spec.shapes(), where)
        where = str(self.directory / manifests.DICTIONARY)
        try:
            text = self.read(manifests.DICTIONARY).decode()
        except UnicodeDecodeError as error:
            raise WavestepError(f"{where} is not UTF-8; export the model again") from error
        words = dictionary.parse(text, where)
        check_phones(words, spec, where)
        return FrontEnd(spec, weights, words)

    def _make_conditioner(self) -> Conditioner:
        return Conditioner(self.spec, self.weights if self.spec.conditioning else {})


def open_package(path: str | Path) -> tuple[ModelPackage, Artifact | None]:
    """The package that a path names: a model directory, or an engine's file in one (the artifact).

    Raises WavestepError where there is neither.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise wrong_type("path", path, "a path")
    directory, file = locate(Path(path))
    package = ModelPackage(directory)
    if file is None or file == manifests.MANIFEST:
        return package, None
    return package, package.artifact(file)
