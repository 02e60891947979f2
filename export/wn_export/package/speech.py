"""The front end of a model directory: its weights and its words."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.numpy

from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage

if TYPE_CHECKING:
    from wn_train.checkpoint import Speech

FILES = (manifests.SPEECH, manifests.DICTIONARY)


def write(directory: Path, manifest: Manifest, speech: Speech | None) -> Manifest:
    """Write a checkpoint's front end into `directory`; the manifest that knows of it."""
    if speech is None:
        return manifest
    weights = {name: tensor.float().numpy() for name, tensor in speech.weights.items()}
    (directory / manifests.SPEECH).write_bytes(safetensors.numpy.save(weights))
    (directory / manifests.DICTIONARY).write_text(speech.dictionary, encoding="utf-8")
    return _recorded(directory, dataclasses.replace(manifest, speech=speech.spec))


def copy(package: ModelPackage, directory: Path, manifest: Manifest) -> Manifest:
    """Take over the front end of another model directory, as it is. Raises WavestepError."""
    if manifest.speech is None:
        return manifest
    for name in FILES:
        (directory / name).write_bytes(package.read(name))
    return _recorded(directory, manifest)


def _recorded(directory: Path, manifest: Manifest) -> Manifest:
    for name in FILES:
        manifest = manifests.with_file(manifest, directory / name)
    return manifest
