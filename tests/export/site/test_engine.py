"""The page's engine is Python's native engine: the same samples for the same seed, in node."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

import wn_runtime
from tests.export.site.node import array, ask, needs_node, sent
from tests.models.model_dir import write_model
from tests.models.specs import CORNERS, small_spec
from tests.runtime.engines.native.targets import needs_compiler
from tests.runtime.engines.native.wheel import needs_zig
from wn_export.c_api import wasm
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.model_file import Named, packed_model
from wn_runtime.conditioning.context_stack import ContextStack
from wn_runtime.conditioning.frames import LocalFrames
from wn_runtime.conditioning.global_conditions import GlobalConditions
from wn_runtime.conditioning.spec import Condition
from wn_runtime.conditioning.timing import Timing
from wn_runtime.heads.gaussian import Gaussian
from wn_runtime.model.package import ModelPackage
from wn_runtime.model.spec import ModelSpec
from wn_runtime.synthesis.model import Model

pytestmark = [needs_zig, needs_node, needs_compiler]
ENGINE = Path(__file__).with_name("engine.mjs")
FRAMED = dataclasses.replace(
    small_spec(),
    sample_rate=8000,
    conditioning=(
        GlobalConditions((Condition("style", "tags", ("calm", "löud", "slow")),)),
        LocalFrames(3, 8, hidden=4, kernels=(3,), upsampling="linear", hold=4),
    ),
)


def built(folder: Path, spec: ModelSpec, precision: str, build: str) -> dict[str, Any]:
    """The question of a model: its module and its file."""
    package = ModelPackage(write_model(folder / "model", spec))
    shapes = HostShapes(spec, precision, package.weights)
    layout = wasm.compile_wasm(wasm.find_compiler(), build, shapes, folder / "engine.wasm")
    (folder / "model.wn").write_bytes(packed_model(shapes, Named("vöice", 0.75), layout.tiles))
    return {"wasm": str(folder / "engine.wasm"), "model": str(folder / "model.wn")}


def python(folder: Path, precision: str) -> Model:
    return wn_runtime.open(folder / "model", engine="native", precision=precision)


def test_conditions_seeds_and_temperatures_are_pythons(tmp_path: Path) -> None:
    question = built(tmp_path, CORNERS["two_conditions"], "fp32", "simd")
    with python(tmp_path, "fp32") as model:
        first, second = model.spec.conditions
        values = {first.name: first.values[1], second.name: second.values[0]}
        wishes = [
            (7, 0.9, values),
            (-1, 1.0, {}),
            (2**64 - 1, 0.0, {first.name: first.values[0]}),
        ]
        question["wishes"] = [
            {"seed": str(seed), "temperature": degree, "samples": 700, "call": 300}
            | {"chosen": {name: [value] for name, value in chosen.items()}}
            for seed, degree, chosen in wishes
        ]
        found = ask(ENGINE, question)
        for answer, (seed, degree, chosen) in zip(found["answers"], wishes, strict=True):
            expected = model.begin(chosen, seed, degree).read(700)
            np.testing.assert_array_equal(array(answer, "<f4"), expected[:, 0])
    assert (found["name"], found["temperature"], found["channels"]) == ("vöice", 0.75, 0)
    assert [each["values"] for each in found["conditions"]] == [
        list(first.values),
        list(second.values),
    ]


def test_frames_and_tags_are_pythons_however_they_are_cut(tmp_path: Path) -> None:
    question = built(tmp_path, FRAMED, "bf16", "simd")
    frames = np.random.default_rng(3).normal(size=(300, 3)).astype(np.float32)
    wish = {"seed": "5", "temperature": 1.0, "frames": sent(frames.tobytes())}
    wish |= {"chosen": {"style": ["löud", "slow"]}, "samples": 9999}
    question["wishes"] = [{**wish, "call": 17}, {**wish, "call": 4096}]
    found = ask(ENGINE, question)
    with python(tmp_path, "bf16") as model:
        stream = model.begin({"style": {"löud", "slow"}}, 5, 1.0)
        stream.push(frames, last=True)
        expected = stream.read(2400)[:, 0]
    for answer in found["answers"]:
        np.testing.assert_array_equal(array(answer, "<f4"), expected)
    assert found["conditions"] == [
        {"name": "style", "tags": True, "values": ["calm", "löud", "slow"]}
    ]
    assert (found["channels"], found["hop"], found["rate"]) == (3, 8, 8000)


def test_a_block_may_be_of_more_frames_than_are_pushed_at_a_time(tmp_path: Path) -> None:
    stack = ContextStack(pool=4, block=2400, channels=5, filter_width=3, kernel=2, dilations=(1,))
    frames_of = LocalFrames(2, 8, hidden=4, kernels=(3,), upsampling="linear", hold=4)
    spec = dataclasses.replace(small_spec(), output=Gaussian(), conditioning=(stack, frames_of))
    assert Timing.of(spec.conditioning).frames(2400) >= 300 > 256  # engine.js: AHEAD
    question = built(tmp_path, spec, "fp32", "simd")
    frames = np.random.default_rng(3).normal(size=(700, 2)).astype(np.float32)
    wish = {"seed": "5", "temperature": 1.0, "chosen": {}, "frames": sent(frames.tobytes())}
    found = ask(ENGINE, {**question, "wishes": [{**wish, "samples": 9999, "call": 400}]})
    with python(tmp_path, "fp32") as model:
        stream = model.begin({}, 5, 1.0)
        stream.push(frames, last=True)
        expected = stream.read(stream.available or 0)[:, 0]
    answer = array(found["answers"][0], "<f4")
    assert len(answer) == len(expected) == 7200
    assert np.abs(answer - expected).max() <= 2**-15


def test_amplitudes_and_a_context_stack_are_pythons_and_faults_are_told(tmp_path: Path) -> None:
    stack = ContextStack(pool=4, block=16, channels=5, filter_width=3, kernel=2, dilations=(1, 2))
    spec = dataclasses.replace(small_spec(), output=Gaussian(), conditioning=(stack,))
    question = built(tmp_path, spec, "fp32", "simd")
    wish = {"seed": "3", "temperature": 1.0, "chosen": {}, "samples": 500, "call": 100}
    found = ask(ENGINE, {**question, "wishes": [wish]})
    with python(tmp_path, "fp32") as model:
        expected = model.begin({}, 3, 1.0).read(500)[:, 0]
    assert np.abs(array(found["answers"][0], "<f4") - expected).max() <= 2**-15
    whole = Path(question["model"]).read_bytes()
    for length in (0, 10, 200, len(whole) - 1):
        said = ask(ENGINE, {**question, "cut": length})["error"]
        assert said.startswith("WavestepError: the packed model is cut short") or length == 0
        assert "model" in said
    said = ask(ENGINE, {**question, "refuse": 2**24})["error"]
    assert "WavestepError: this model needs 17 MB of memory" in said
    assert "more than the browser gives to a page" in said
    damaged = bytearray(whole)
    damaged[300] ^= 1
    Path(question["model"]).write_bytes(damaged)
    assert "the packed model is damaged" in ask(ENGINE, question)["error"]
