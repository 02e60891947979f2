"""The good things that cases are made from: a small voice, its checkpoint, recordings, a run.

Made once into a folder; a case copies what it names. Those that need torch are left out without.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from tests.export.references import reference_of
from tests.fuzz.commands import here
from tests.models import specs
from tests.models.model_dir import write_model
from tests.models.speaking import write_voice
from wn_export.parity import reference
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.engines.native.precompiled import precompile
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests

SPEC = dataclasses.replace(specs.CORNERS["two_conditions"], sample_rate=400)
"""So slow a rate that a second is few samples."""
FRAMED = dataclasses.replace(
    specs.small_spec(
        conditioning=(
            GlobalConditions((specs.SPEAKER,)),
            LocalFrames(3, 4, 5, (3,), False, "transposed", 2),
        )
    ),
    sample_rate=400,
)
"""The same, of frames: a vocoder."""
CONFIG = """\
attribution = "nobody's"
[model]
cycle = 4
layers = 3
residual_channels = 8
skip_channels = 8
head_channels = 8
[data]
chunk_seconds = 0.02
[training]
batch_samples = 1500
validate_every = 1
sample_every = 0
sample_seconds = 0.005
"""
WORDS = "ta T AA\nat AA T\nseven T AA T\n"
"""Of a voice that speaks."""
TRUSTED = "0" * 64 + "\n" + "ab" * 32 + "  somebody's library\n"


class World:
    """A folder of templates."""

    def __init__(self, root: Path) -> None:
        """Makes what is missing in `root`."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        for name, make in _MAKERS.items():
            if not (root / name).exists():
                make(root, name)

    def has(self, name: str) -> bool:
        """Whether there is such a thing here; `voice.pt` is not without torch."""
        return (self.root / name).exists()

    def copy(self, name: str, work: Path) -> None:
        """Into a case's working directory."""
        source, target = self.root / name, work / name
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _vocoder(root: Path, name: str) -> None:
    """A model directory of frames, with a reference."""
    directory = write_model(root / name, FRAMED)
    made = reference_of(FRAMED, conditions={"speaker": "ann"})
    reference.save(directory / manifests.REFERENCE, made)
    manifest = manifests.with_file(manifests.read(directory), directory / manifests.REFERENCE)
    manifests.write(directory, manifest)


def _speaking(root: Path, name: str) -> None:
    """A model directory that speaks, with a reference."""
    directory = write_voice(root / name, WORDS)
    manifest = manifests.read(directory)
    made = reference_of(manifest.spec, conditions={"speaker": "ann"})
    reference.save(directory / manifests.REFERENCE, made)
    manifests.write(directory, manifests.with_file(manifest, directory / manifests.REFERENCE))


def _text(root: Path, name: str) -> None:
    (root / name).write_text({"words.txt": WORDS, "said.txt": "ta, at\n"}[name], "utf-8")


def _spoken(root: Path, name: str) -> None:
    from tests.train.speech.labelled import write_spoken

    write_spoken(root / name, files=6)


def _frames(root: Path, name: str) -> None:
    """Of clip.wav: its 200 samples are 50."""
    frames = np.random.default_rng(0).standard_normal((50, 3)).astype("<f4")
    if name.endswith(".npy"):
        np.save(root / name, frames)
    else:
        (root / name).write_bytes(frames.tobytes())


def _voice(root: Path, name: str) -> None:
    """A model directory with both precisions, a reference and a compiled library."""
    voice = write_model(root / name, SPEC, ("fp32", "fp16"))
    given = {"speaker": "ann", "mood": "calm"}
    reference.save(voice / manifests.REFERENCE, reference_of(SPEC, conditions=given))
    manifest = manifests.with_file(manifests.read(voice), voice / manifests.REFERENCE)
    library = voice / "native.int8.so"
    try:
        artifact = precompile(SPEC, "int8", "native", 1, library)
    except WavestepError:  # no compiler here: then without
        pass
    else:
        manifest = manifests.with_artifact(manifest, artifact, manifests.record(library))
    manifests.write(voice, manifest)


def _spec(root: Path, name: str) -> None:
    (root / name).write_text(json.dumps(SPEC.to_dict(), indent=1), "utf-8")


def _config(root: Path, name: str) -> None:
    (root / name).write_text(CONFIG, "utf-8")


def _trusted(root: Path, name: str) -> None:
    (root / name).write_text(TRUSTED, "ascii")


def _clip(root: Path, name: str) -> None:
    tone = 0.3 * np.sin(np.arange(200) / 5)
    soundfile.write(root / name, tone, SPEC.sample_rate)


def _data(root: Path, name: str) -> None:
    from tests.train.recordings import write_corpus

    write_corpus(root / name, files=4, seconds=0.03)


def _checkpoint(root: Path, name: str) -> None:
    if here("torch"):
        from tests.export.checkpoints import write_checkpoint

        spec = FRAMED if name.startswith("vocoder") else SPEC
        write_checkpoint(root / name, spec, clips=2, steps=80)


def _speaker(root: Path, name: str) -> None:
    """The checkpoint of the model directory that speaks."""
    if here("torch"):
        from safetensors.torch import load

        from tests.export.checkpoints import write_checkpoint
        from wn_train import checkpoint

        directory = root / "speaking"
        manifest = manifests.read(directory)
        assert manifest.speech is not None
        write_checkpoint(root / name, manifest.spec, clips=2, steps=80)
        weights = load((directory / manifests.SPEECH).read_bytes())
        made = checkpoint.load(root / name)
        made.speech = checkpoint.Speech(manifest.speech, weights, WORDS)
        checkpoint.save(root / name, made)


def _foreign(root: Path, name: str) -> None:
    """A small model of r9y9's, its settings, what it answers, and statistics of its frames."""
    if not here("torch"):
        return
    import torch

    from tests.train.importers.r9y9_model import R9y9, rounded, saved

    case = R9y9(cin=3, network="conv_in", pad=1, scales=(2, 2), gin=2, speakers=2)
    state, given = rounded(case.state()), case.inputs(12)
    if name == "theirs.pth":
        torch.save(saved(state), root / name)
    elif name == "hparams.json":
        (root / name).write_text(json.dumps(case.hparams(), indent=1), "utf-8")
    elif name == "answers.npz":
        params = case.params(state, **given).astype(np.float32)
        np.savez(root / name, **given, params=params)
    else:
        np.savez(root / name, mean=np.zeros(3), scale=np.ones(3))


def _run(root: Path, name: str) -> None:
    """A run of one step, to be resumed."""
    if here("torch"):
        _call(root, "wn_train.commands.train", "data", "-o", name, "--config", "config.toml",
              "--steps", "1", "--threads", "1")  # fmt: skip


def _cache(root: Path, name: str) -> None:
    """Compiled code of the voice, so that a case need not compile it."""
    for precision in ("fp32", "bf16", "int8"):
        _call(root, "wn_runtime.commands.run", "voice", "--engine", "native", "--precision",
              precision, "--seconds", "0.01", "--raw", "/dev/stdout", check=False)  # fmt: skip
    _call(root, "wn_runtime.commands.run", "vocoder", "--engine", "native", "--frames",
          "frames.npy", "--raw", "/dev/stdout", check=False)  # fmt: skip
    (root / name).mkdir(mode=0o700, exist_ok=True)
    (root / name / "measured.json").write_text('{\n "a onnx fp32 1 1": 20.5\n}\n', "ascii")


def _call(root: Path, module: str, *arguments: str, check: bool = True) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    subprocess.run(
        [sys.executable, "-c", f"from {module} import main; main()", *arguments],
        cwd=root,
        env={**kept, "HOME": str(root), "XDG_CACHE_HOME": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=check,
    )


_MAKERS: dict[str, Callable[[Path, str], None]] = {
    "voice": _voice,
    "vocoder": _vocoder,
    "speaking": _speaking,
    "words.txt": _text,
    "said.txt": _text,
    "spoken": _spoken,
    "frames.npy": _frames,
    "frames.raw": _frames,
    "spec.json": _spec,
    "config.toml": _config,
    "trusted": _trusted,
    "clip.wav": _clip,
    "clip.flac": _clip,
    "data": _data,
    "voice.pt": _checkpoint,
    "vocoder.pt": _checkpoint,
    "speaking.pt": _speaker,
    "theirs.pth": _foreign,
    "hparams.json": _foreign,
    "answers.npz": _foreign,
    "meanvar.npz": _foreign,
    "run": _run,
    "wavestep": _cache,
}
