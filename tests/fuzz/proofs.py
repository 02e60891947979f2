"""Whether what a command left is whole: audio, a model directory, a training run."""

from __future__ import annotations

import hashlib
import json
import wave
from collections.abc import Callable
from pathlib import Path


def leftovers(root: Path) -> list[str]:
    """Files and folders in the making, anywhere below `root`."""
    marks = (".part", ".old", ".tmp")
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.name.startswith(".") and any(mark in path.name for mark in marks)
    ]


def whole_audio(work: Path, reference: Path | None) -> list[str]:
    """clip.wav: every sample that its header counts, the same as far as the reference's."""
    path = work / "clip.wav"
    try:
        samples = _samples(path)
    except (OSError, EOFError, wave.Error) as error:
        return [f"clip.wav is not whole: {error}"]
    if reference is not None and not _samples(reference / "clip.wav").startswith(samples):
        return ["clip.wav holds other samples"]
    return []


def whole_model(name: str) -> Callable[[Path, Path | None], list[str]]:
    """A model directory: every file is what its manifest says."""

    def check(work: Path, reference: Path | None) -> list[str]:
        try:
            files = json.loads((work / name / "manifest.json").read_text("utf-8"))["files"]
            return [
                f"{name}/{file} is not what the manifest says"
                for file, record in files.items()
                if _digest(work / name / file) != record["sha256"]
            ]
        except (OSError, ValueError, KeyError) as error:
            return [f"{name} is not whole: {error}"]

    return check


def whole_run(work: Path, reference: Path | None) -> list[str]:
    """A run folder: every checkpoint loads; beside a reference, its weights are bit-identical."""
    import torch

    faults = []
    for path in sorted((work / "run").glob("[!.]*.pt")):  # not one in the making, which goes
        try:
            data = torch.load(path, weights_only=True)
        except Exception as error:  # of many kinds, none of them ours
            faults.append(f"{path.name} is not whole: {error}")
            continue
        if reference is None or path.name != "last.pt":
            continue
        expected = torch.load(reference / "run" / path.name, weights_only=True)
        for part in ("model", "ema"):
            for key, tensor in expected[part].items():
                if not torch.equal(tensor, data[part][key]):
                    faults.append(f"{path.name}: {part} {key} is not bit-identical")
    if reference is not None and not (work / "run" / "release.pt").exists():
        faults.append("release.pt is missing")
    return faults


def _samples(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        data: bytes = file.readframes(file.getnframes())
        if len(data) != 2 * file.getnframes():
            raise wave.Error(f"{len(data)} bytes for {file.getnframes()} samples")
    return data


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
