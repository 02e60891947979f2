"""reference.npz comes back as it was written; whatever else is in it is refused in one line."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.export.references import reference_of
from tests.export.toys import Amplitudes, framed_spec, random_samples
from tests.models import model_dir
from tests.models.specs import CORNERS, PLAIN, small_spec
from wn_export.parity import reference
from wn_export.parity.expected import Clip, FreeRun, Prediction, Reference
from wn_runtime.errors import WavestepError
from wn_runtime.heads.head import Head
from wn_runtime.heads.softmax import Softmax
from wn_runtime.model import manifest as manifests
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec

SPEC = framed_spec()


def same(one: object, other: object) -> bool:
    """Equality of dataclasses that hold arrays, types included."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name))
            for field in dataclasses.fields(one)
        )
    return one == other


def rich_reference(spec: ModelSpec) -> Reference:
    """Two clips with frames, and bias of other numbers of rows for each."""
    rng, samples = np.random.default_rng(0), random_samples(spec.output, 100)

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    params = spec.output.params
    clips = (
        Clip(samples[:50], {"speaker": "ann", "mood": "calm+loud"}, floats(5, 1, 4)),
        Clip(samples[50:81], {}, floats(3, 1, 4)),
    )
    predictions = (
        Prediction(floats(50), np.arange(0, 50, 7), floats(8, params), floats(5, 3, 1, 6), 50),
        Prediction(floats(31), np.arange(0, 31, 7), floats(5, params), floats(2, 3, 1, 6), 20),
    )
    free = FreeRun(Clip(samples, {"speaker": "bob"}, floats(8, 1, 4)), 5)
    return Reference("two clips", clips, predictions, free)


def saved(folder: Path, written: Reference) -> bytes:
    reference.save(folder / "reference.npz", written)
    return (folder / "reference.npz").read_bytes()


@pytest.mark.parametrize("head", [Softmax(16), Softmax(256), Softmax(1000), Amplitudes(2)])
def test_a_reference_comes_back_as_it_was_written(tmp_path: Path, head: Head) -> None:
    spec = framed_spec(head)
    written = rich_reference(spec)
    assert same(reference.parse(saved(tmp_path, written), spec, "it"), written)


@pytest.mark.parametrize("corner", ["plain", "two_conditions"])
def test_constant_conditioning_and_none_come_back_too(tmp_path: Path, corner: str) -> None:
    written = reference_of(CORNERS[corner], conditions={})
    assert (written.predictions[0].bias is None) == (corner == "plain")
    assert same(reference.parse(saved(tmp_path, written), CORNERS[corner], "it"), written)


def test_every_sample_counts_alike_whatever_the_clips() -> None:
    made = reference_of(small_spec(), clips=(20, 60))
    one, other = (each.bits for each in made.predictions)
    assert made.bits == pytest.approx((one.sum() + other.sum()) / 80)
    assert made.largest == max(np.abs(each.params).max() for each in made.predictions)


def test_that_of_a_directory_is_the_one_its_manifest_has(tmp_path: Path) -> None:
    directory = model_dir.write_model(tmp_path / "voice", PLAIN)
    with pytest.raises(WavestepError, match=r"reference\.npz is not in manifest\.json"):
        reference.load(ModelPackage(directory))
    path = directory / manifests.REFERENCE
    written = reference_of(PLAIN)
    reference.save(path, written)
    manifests.write(directory, manifests.with_file(manifests.read(directory), path))
    assert same(reference.load(ModelPackage(directory)), written)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(WavestepError, match=r"reference\.npz is not the file manifest\.json"):
        reference.load(ModelPackage(directory))
    path.unlink()
    with pytest.raises(WavestepError, match=r"reference\.npz cannot be read \(No such file"):
        reference.load(ModelPackage(directory))


def test_one_too_large_is_not_even_read(tmp_path: Path) -> None:
    directory = model_dir.write_model(tmp_path / "voice", PLAIN)
    path = directory / manifests.REFERENCE
    with path.open("wb") as file:
        file.truncate(reference.MOST_BYTES + 1)  # takes no space, and would take the memory
    manifests.write(directory, manifests.with_file(manifests.read(directory), path))
    with pytest.raises(WavestepError, match=r"reference\.npz has 134217729 bytes, over 134217728"):
        reference.load(ModelPackage(directory))


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    whole = saved(tmp_path, reference_of(PLAIN))
    for data in (b"", b"garbage", whole[:300], whole[: len(whole) // 2], whole[:-1]):
        with pytest.raises(WavestepError, match=r"^it cannot be read \("):
            reference.parse(data, PLAIN, "it")


Arrays = dict[str, Any]


def changed(data: bytes, change: Callable[[Arrays], object]) -> bytes:
    """The archive with other content, as whoever mends its checksum too would make it."""
    with np.load(io.BytesIO(data)) as archive:
        arrays = {**archive, "words": json.loads(str(archive["words"]))}
    change(arrays)
    arrays["words"] = np.array(json.dumps(arrays["words"]))
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


CHANGES: dict[str, tuple[Callable[[Arrays], object], str]] = {
    "member left out": (lambda a: a.pop("bits"), "member 'bits' is missing"),
    "member too many": (lambda a: a.update(x=a["bits"]), "member 'x.npy' is unexpected"),
    "other type": (lambda a: a.update(bits=a["bits"].astype("f8")), "of type <f8, not <f4"),
    "objects": (
        lambda a: a.update(bits=np.array([{}], object)),
        r"member 'bits.npy' is of type \|O, not <f4",
    ),
    "no seed": (lambda a: a["words"].pop("seed"), "words: key 'seed' is missing"),
    "negative seed": (lambda a: a["words"].update(seed=-1), "words: seed is -1"),
    "huge seed": (lambda a: a["words"].update(seed=2**64), "words: seed: .* must fit 64 bits"),
    "material": (lambda a: a["words"].update(material=["x"]), "words: material: expected str"),
    "endless material": (lambda a: a["words"].update(material="x" * 1001), "over 1000"),
    "no clips": (lambda a: a["words"].update(conditions=[], bias_samples=[]), "there are 0 clips"),
    "clips": (lambda a: a["words"]["conditions"].append({}), "there are 3 clips and 2 of"),
    "condition": (lambda a: a["words"]["conditions"][0].update(x="y"), "condition 'x' is unknown"),
    "value": (lambda a: a["words"]["free_conditions"].update(speaker="z"), "speaker 'z' is unkn"),
    "number": (lambda a: a["words"]["free_conditions"].update(speaker=1), "expected str, got 1"),
    "lengths": (lambda a: a.update(lengths=a["lengths"][:1]), r"lengths is \(1,\); there are 2"),
    "negative length": (lambda a: a.update(lengths=np.array([-1, 82])), "lengths adds up to 81"),
    "empty clip": (lambda a: a.update(lengths=np.array([0, 81])), "lengths adds up to 81"),
    "sum": (lambda a: a.update(lengths=np.array([50, 32])), "lengths adds up to 82; samples is"),
    "overflow": (lambda a: a.update(lengths=np.array([2**63 - 1, 82])), "lengths adds up to 922"),
    "samples": (lambda a: a["samples"].__setitem__(3, 16), "clip 0: samples are 0 to 16; this mo"),
    "floats": (
        lambda a: a.update(samples=a["samples"].astype("f4")),
        "clip 0 has samples of",
    ),
    "rows of samples": (lambda a: a.update(samples=a["samples"][:, None]), "clip 0 has samples"),
    "free samples": (lambda a: a["free_samples"].__setitem__(0, 255), "the free run: samples are"),
    "no free run": (lambda a: a.update(free_samples=a["free_samples"][:0]), "the free run has sam"),
    "bits": (lambda a: a["bits"].__setitem__(0, np.nan), "bits holds NaN or infinity"),
    "params": (lambda a: a["params"].__setitem__((0, 0), np.inf), "params holds NaN or infinity"),
    "classes": (lambda a: a.update(params=a["params"][:, :-1]), r"params is \(13, 15\); each row"),
    "bias": (lambda a: a.update(bias=a["bias"][..., :-1]), r"bias is \(7, 3, 1, 5\); each row"),
    "bias rows": (lambda a: a.update(bias_rows=np.array([5, 1])), "bias_rows adds up to 6"),
    "bias beyond": (
        lambda a: a["words"].update(bias_samples=[51, 20]),
        "bias has 5 rows for 51",
    ),
    "bias of none": (
        lambda a: a["words"].update(bias_samples=[0, 20]),
        "bias has 5 rows for 0",
    ),
    "odd bias": (lambda a: a["words"].update(bias_samples=[49, 20]), "bias has 5 rows for 49"),
    "step beyond": (lambda a: a["steps"].__setitem__(7, 50), "clip 0: its steps are not in order"),
    "step before": (lambda a: a["steps"].__setitem__(0, -1), "clip 0: its steps are not in order"),
    "step twice": (lambda a: a["steps"].__setitem__(1, 0), "clip 0: its steps are not in order"),
    "kept": (lambda a: a.update(kept=np.array([8, 6])), "kept adds up to 14; steps is"),
    "frames": (lambda a: a["frames"].__setitem__((0, 0, 0), np.nan), "clip 0: frames hold NaN"),
    "channels": (lambda a: a.update(frames=a["frames"][..., :3]), "clip 0 has frames float32"),
    "streams": (lambda a: a.update(free_frames=np.zeros((8, 2, 4), "f4")), "the free run has fra"),
}


@pytest.mark.parametrize("which", CHANGES)
def test_what_is_in_it_is_not_believed(tmp_path: Path, which: str) -> None:
    change, fault = CHANGES[which]
    data = changed(saved(tmp_path, rich_reference(SPEC)), change)
    with pytest.raises(WavestepError, match=f"^it cannot be read .*{fault}"):
        reference.parse(data, SPEC, "it")


def test_a_reference_of_another_model_is_refused(tmp_path: Path) -> None:
    data = saved(tmp_path, reference_of(CORNERS["one_condition"], conditions={"speaker": "ann"}))
    for spec in (PLAIN, CORNERS["uneven"], SPEC, CORNERS["one_layer"]):
        with pytest.raises(WavestepError, match=r"^it cannot be read \("):
            reference.parse(data, spec, "it")


@pytest.mark.parametrize("seed", range(3))
def test_any_bytes_are_a_reference_or_one_error(tmp_path: Path, seed: int) -> None:
    """Where all is stored, what is changed is mostly numbers, and the checksum is mended."""
    rng = np.random.default_rng(seed)
    whole = changed(saved(tmp_path, rich_reference(SPEC)), lambda arrays: None)
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            found = reference.parse(bytes(data), SPEC, "it")
        except WavestepError:
            continue
        assert np.isfinite(found.bits + found.largest)
