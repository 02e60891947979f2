"""A model that came from elsewhere, held against what its own project's code answered.

vectors.npz has `x` (T,), the samples; `frames` (F, C) and `speaker` where the model takes them; and
`params` (T or fewer, A): params[t] predicts x[t+1], with x[t] and the conditioning of time t as its
newest inputs, from zero delay lines on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wn_export.package.graph_files import Graphs, write_models
from wn_export.parity.available import Unavailable, opened
from wn_export.parity.compare import BITS_TOLERANCE
from wn_export.parity.conditioner import CONDITIONER
from wn_export.parity.conditioner_graph import ConditionerGraph
from wn_export.parity.expected import Clip
from wn_export.parity.teacher_forcing import condition, tensor_of
from wn_runtime import files, npz
from wn_runtime.conditioning.conditioner import Bias, padded_frames
from wn_runtime.conditioning.part import Frames
from wn_runtime.engines.engine import Engine
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Samples
from wn_runtime.model import layout
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec
from wn_runtime.model.state import SAMPLES
from wn_runtime.synthesis.conditioned import ConditionedBlocks
from wn_train.importers.imported import Imported
from wn_train.network.wavenet import WaveNet

TOLERANCE = 1e-5
"""float32: max |delta params| over max |params|."""
LONGEST_PIECE = 60
"""Samples of the pieces, of random sizes, that engines are streamed in."""
MOST_BYTES = 2**30
_FLOATS, _INTEGERS = ("<f4", "<f8"), ("<i4", "<i8", "|u1")
_MEMBERS = {
    "x": (*_FLOATS, *_INTEGERS),
    "params": _FLOATS,
    "frames": _FLOATS,
    "speaker": _INTEGERS,
}


@dataclass(frozen=True)
class Vectors:
    """What the original was given, and what it answered, in our channels."""

    clip: Clip
    params: NDArray[np.float64]
    """(n, A), n at most T."""


@dataclass(frozen=True)
class Row:
    """One engine and precision beside the original."""

    engine: str
    precision: str
    max_error: float
    """max |delta params| over max |params|."""
    delta_bits: float
    """Bits per sample above the original's."""

    @property
    def decides(self) -> bool:
        """Whether the import is wrong where it fails: a lower precision need not be taken."""
        return self.precision == "fp32"

    @property
    def passed(self) -> bool:
        """By the bound of float32, or of lower precisions."""
        if self.precision == "fp32":
            return self.max_error <= TOLERANCE
        return abs(self.delta_bits) <= BITS_TOLERANCE


def read(path: Path, imported: Imported) -> Vectors:
    """The vectors of a file. Raises WavestepError where they are none of this model."""
    spec = imported.spec
    try:
        data = files.read(path, MOST_BYTES)
        every = npz.names(data)
        anything = (*_FLOATS, *_INTEGERS, "<f2", "|b1", "<U")
        types = {name: _MEMBERS.get(name, anything) for name in {*every, "x", "params"}}
        found = npz.arrays(data, types, MOST_BYTES)
        conditions = {}
        if "speaker" in found:
            speaker = spec.condition("speaker")
            conditions["speaker"] = speaker.values[speaker.index(int(found["speaker"]))]
        samples = _samples(found["x"], spec)
        return Vectors(
            Clip(samples, conditions, _frames(found.get("frames"), spec, len(samples))),
            _params(found["params"], imported, len(samples)),
        )
    except FileNotFoundError as error:
        raise WavestepError(f"{path} does not exist; give an .npz of x and params") from error
    except (OSError, ValueError, WavestepError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WavestepError(f"{path} holds no vectors of this model: {reason}") from error


def verify(imported: Imported, model: WaveNet, vectors: Vectors) -> Iterator[Row | Unavailable]:
    """PyTorch, and every engine and precision that runs here, beside the original's answers.

    Engines are streamed in pieces of random sizes; ONNX Runtime's take the bias that
    conditioner.onnx makes.
    """
    shifted = int(imported.delayed)
    yield _row("pytorch", "fp32", _by_pytorch(model, vectors.clip, shifted), vectors, imported)
    with tempfile.TemporaryDirectory() as folder:
        manifest = Manifest(
            format=manifests.FORMAT,
            name="imported",
            spec=imported.spec,
            files={},
            state=layout.layout(imported.spec),
        )
        write_models(Path(folder), manifest, imported.weights, Graphs(("fp32", "fp16")))
        package = ModelPackage(Path(folder))
        for engine in opened(package):
            if isinstance(engine, Unavailable):
                yield engine
                continue
            biases = _by_numpy if engine.name != "onnx" else _by_graph
            pieces = biases(package, vectors.clip, shifted)
            found = _streamed(engine, vectors.clip.samples, pieces)
            yield _row(engine.name, engine.precision, found, vectors, imported)


Pieces = Callable[[int], tuple[Bias, int]]
"""At most so many samples -> the bias of the next ones, and how many they are."""


def _samples(x: NDArray[Any], spec: ModelSpec) -> Samples:
    if x.ndim != 1 or len(x) < 2:
        raise ValueError(f"x is {x.shape}; it takes two samples or more, in a row")
    head = spec.output
    if head.codes is not None and x.dtype.kind == "f":  # amplitudes, of which each is a class's
        classes = head.encode(x.astype(np.float64))
        if np.abs(head.decode(classes) - x).max() > 1e-4:
            raise ValueError("x holds amplitudes that are no class's; the model feeds back classes")
        return classes
    return head.check(x, "x").copy()  # to be written to, as PyTorch wants arrays


def _frames(frames: NDArray[Any] | None, spec: ModelSpec, samples: int) -> Frames | None:
    framed = [part for part in spec.conditioning if part.frame_channels]
    if frames is None or not framed:
        if (frames is None) == (not framed):
            return None
        raise ValueError(f"it has {'no ' if framed else ''}frames, unlike the model")
    channels, count = framed[0].frame_channels, -(-samples // framed[0].hop)
    if frames.ndim != 2 or frames.shape[1] != channels or len(frames) < count:
        raise ValueError(
            f"frames are {frames.shape}; {samples} samples take ({count}, {channels}) of them"
        )
    if not np.isfinite(frames.astype(np.float32)).all():
        raise ValueError("frames hold NaN or infinity")
    return frames.astype(np.float32)[:, None]


def _params(params: NDArray[Any], imported: Imported, samples: int) -> NDArray[np.float64]:
    columns, own = imported.columns, imported.spec.output.params
    found = params.astype(np.float64)
    if columns is not None and found.ndim == 2 and found.shape[1] > max(columns):
        found = found[:, list(columns)]
    if found.ndim != 2 or found.shape[1] != own or not 1 <= len(found) <= samples:
        raise ValueError(
            f"params are {params.shape}; the model has {own} of each of the {samples} samples"
        )
    if not np.isfinite(found).all():
        raise ValueError("params hold NaN or infinity")
    return found


def _row(
    engine: str, precision: str, found: NDArray[np.float32], vectors: Vectors, imported: Imported
) -> Row:
    expected, head = vectors.params, imported.spec.output
    count = len(expected)
    largest = float(np.abs(expected).max()) or 1.0
    error = float(np.abs(found[:count] - expected).max()) / largest
    following = vectors.clip.samples[1 : count + 1]
    known = len(following)
    bits = [
        float(head.bits(np.asarray(params[:known], np.float32), following).mean(dtype=np.float64))
        for params in (found, expected)
    ]
    return Row(engine, precision, error, bits[0] - bits[1])


def _padded(package: ModelPackage, frames: Frames, samples: int) -> Frames:
    timing = package.conditioner.timing
    whole = -(-samples // timing.block) * timing.block
    return padded_frames(frames, timing.frames(whole), package.conditioner.padding)


@torch.inference_mode()
def _by_pytorch(model: WaveNet, clip: Clip, shifted: int) -> NDArray[np.float32]:
    """Params (T, A) of one pass that begins with x[0] known and nothing else."""
    samples = clip.samples
    longer = Clip(np.concatenate([samples, samples[:shifted]]), clip.conditions, clip.frames)
    bias = condition(model, longer, shifted, shifted + len(samples))
    following = tensor_of(np.concatenate([samples[1:], samples[:1]]), model)[None]
    earlier = tensor_of(_before(samples, model.spec), model)[None]
    found: NDArray[np.float32] = model.network(following, bias, earlier)[0].float().numpy()
    return found


def _before(samples: Samples, spec: ModelSpec) -> Samples:
    """The k0 samples before the first that is predicted: silence, and x[0]."""
    before = np.full(spec.input_kernel, spec.output.silence, spec.output.sample_dtype)
    before[-1] = samples[0]
    return before


def _streamed(engine: Engine, samples: Samples, pieces: Pieces) -> NDArray[np.float32]:
    """The same by an engine, in pieces of random sizes."""
    spec, rng = engine.spec, np.random.default_rng(0)
    start = layout.initial(spec, 1)
    start[SAMPLES][:, 0] = _before(samples, spec)
    engine.restore(start)
    following = np.concatenate([samples[1:], samples[:1]])[:, None]
    found: list[NDArray[np.float32]] = []
    t = 0
    while t < len(samples):
        wanted = min(int(rng.integers(1, LONGEST_PIECE)), len(samples) - t)
        bias, count = pieces(wanted)
        found.append(engine.score(following[t : t + count], bias)[:, 0])
        t += count
    return np.concatenate(found)


def _by_numpy(package: ModelPackage, clip: Clip, shifted: int) -> Pieces:
    """The bias as a stream has it."""
    spec = package.spec
    blocks = ConditionedBlocks(package.conditioner, spec, 1)
    blocks.reset(None, dict(clip.conditions))
    if clip.frames is not None:
        blocks.push(_padded(package, clip.frames, len(clip.samples) + shifted), last=False)
    silence = np.full((LONGEST_PIECE, 1), spec.output.silence, spec.output.sample_dtype)

    def next_piece(wanted: int) -> tuple[Bias, int]:
        bias, count = blocks.next(wanted)
        blocks.advance(silence[:count])
        return bias, count

    if shifted:
        next_piece(shifted)
    return next_piece


def _by_graph(package: ModelPackage, clip: Clip, shifted: int) -> Pieces:
    """The bias that conditioner.onnx makes, a row a sample."""
    if not package.spec.conditioning:
        return lambda wanted: (None, wanted)
    size = len(clip.samples) + shifted
    bias = ConditionerGraph(package, CONDITIONER).bias(clip, size)
    assert bias is not None
    each = np.repeat(bias, -(-size // len(bias)), axis=0)[shifted:] if len(bias) > 1 else bias
    t = 0

    def next_piece(wanted: int) -> tuple[Bias, int]:
        nonlocal t
        t += wanted
        return (each if len(each) == 1 else each[t - wanted : t]), wanted

    return next_piece
