"""reference.npz: audio, and what float32 PyTorch answered to it; parity is held against this.

Small, and readable with NumPy alone, so that a device without torch can prove its engines. For
every sample of the excerpts it has PyTorch's bits; logits only at evenly spaced steps; and a
free-running stream whose every sample PyTorch drew.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wn_runtime.errors import WavestepError
from wn_runtime.heads import mulaw

_NOT_OURS = (ValueError, KeyError, TypeError, AttributeError)
"""What parsing another NumPy file ends in."""

Conditions = Mapping[str, str]
"""Condition to value, by name; tags joined by `+`."""


@dataclass(frozen=True)
class Excerpt:
    """A piece of audio from a true start (silence before it)."""

    codes: NDArray[np.int32]
    """(T,) mu-law classes."""
    conditions: Conditions


@dataclass(frozen=True)
class Answer:
    """What PyTorch predicted, teacher-forced over one excerpt."""

    bits: NDArray[np.float32]
    """(T,) -log2 p of each sample."""
    steps: NDArray[np.int64]
    """(K,) the steps whose logits are kept."""
    logits: NDArray[np.float32]
    """(K, A)"""


@dataclass(frozen=True)
class FreeRun:
    """What PyTorch generated from silence."""

    conditions: Conditions
    seed: int
    samples: NDArray[np.int32]
    """(T,) drawn at temperature 1 with `Uniforms(seed, 1)` from position 0."""


@dataclass(frozen=True)
class Reference:
    """The inputs and PyTorch's answers."""

    material: str
    """Where the excerpts come from, in words."""
    excerpts: tuple[Excerpt, ...]
    answers: tuple[Answer, ...]
    free: FreeRun

    @property
    def bits(self) -> float:
        """PyTorch's bits per sample over all excerpts."""
        every = np.concatenate([answer.bits for answer in self.answers])
        return float(every.mean(dtype=np.float64))

    @property
    def largest_logit(self) -> float:
        """max |logit|, what errors are relative to."""
        return max(float(np.abs(answer.logits).max()) for answer in self.answers)


def surprise(logits: NDArray[np.float32], codes: NDArray[np.int32]) -> NDArray[np.float32]:
    """-log2 p of codes (T,) under softmax of logits (T, A), summed in float64: (T,)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    nats = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(codes)), codes]
    bits: NDArray[np.float32] = (nats / np.log(2)).astype(np.float32)
    return bits


def save(path: Path, reference: Reference) -> None:
    """Write the reference; codes as bytes where they fit."""
    excerpts, answers = reference.excerpts, reference.answers
    words = {
        "material": reference.material,
        "conditions": [dict(excerpt.conditions) for excerpt in excerpts],
        "free_conditions": dict(reference.free.conditions),
        "seed": reference.free.seed,
    }
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            words=np.array(json.dumps(words)),
            codes=_small(np.concatenate([excerpt.codes for excerpt in excerpts])),
            lengths=np.array([len(excerpt.codes) for excerpt in excerpts]),
            bits=np.concatenate([answer.bits for answer in answers]),
            steps=np.concatenate([answer.steps for answer in answers]),
            kept=np.array([len(answer.steps) for answer in answers]),
            logits=np.concatenate([answer.logits for answer in answers]),
            free_samples=_small(reference.free.samples),
        )


def load(path: Path) -> Reference:
    """The inverse of `save`. Raises WavestepError naming the file and the fault."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return _parse(dict(arrays))
    except FileNotFoundError as error:
        raise WavestepError(f"{path} is missing; export the model again") from error
    except (OSError, EOFError, zipfile.BadZipFile, *_NOT_OURS) as error:
        raise WavestepError(f"{path} cannot be read ({error}); export the model again") from error


def read_audio(path: Path, sample_rate: int, classes: int) -> NDArray[np.int32]:
    """A WAV or FLAC file as mu-law classes (T,), mixed to mono, resampled where soxr is here.

    Raises WavestepError for a file that is missing, unreadable, empty or holds NaN, and for one
    of another rate without soxr.
    """
    import soundfile

    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        reason = "it does not exist" if not path.exists() else str(error).strip().rstrip(".")
        raise WavestepError(f"{path} cannot be read as audio: {reason}") from error
    mono = audio.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise WavestepError(f"{path} is {'not finite' if len(mono) else 'empty'}; give real audio")
    if rate != sample_rate:
        try:
            import soxr
        except ImportError as error:
            raise WavestepError(
                f"{path} has {rate} Hz, the model {sample_rate} Hz; convert it, or pip install soxr"
            ) from error
        mono = soxr.resample(mono, rate, sample_rate, quality="HQ")
    return mulaw.encode(mono, classes)


def _parse(arrays: dict[str, NDArray[Any]]) -> Reference:
    words = json.loads(str(arrays["words"]))
    ends = np.cumsum(arrays["lengths"])[:-1]
    kept = np.cumsum(arrays["kept"])[:-1]
    codes = np.split(arrays["codes"].astype(np.int32), ends)
    conditions = words["conditions"]
    answers = zip(
        np.split(arrays["bits"], ends),
        np.split(arrays["steps"], kept),
        np.split(arrays["logits"], kept),
        strict=True,
    )
    return Reference(
        material=words["material"],
        excerpts=tuple(Excerpt(c, given) for c, given in zip(codes, conditions, strict=True)),
        answers=tuple(Answer(*parts) for parts in answers),
        free=FreeRun(
            words["free_conditions"], words["seed"], arrays["free_samples"].astype(np.int32)
        ),
    )


def _small(codes: NDArray[np.int32]) -> NDArray[Any]:
    return codes.astype(np.uint8 if codes.max() < 256 else np.int32)
