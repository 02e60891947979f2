"""What a site ships of a front end: read back as it was, and refused in a line when damaged."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.export.site.node import needs_node
from tests.export.site.speech.asking import Asked, answers, of_each
from tests.export.site.speech.voices import front_end, spec
from wn_export.package import site_speech
from wn_export.package.site_speech import JSON, WEIGHTS
from wn_runtime.errors import WavestepError
from wn_runtime.speech.front_end import FrontEnd

Files = dict[str, bytes]
ONE: list[Asked] = [("one", {"speaker": "ann"})]


@pytest.fixture
def voice() -> FrontEnd:
    return front_end(spec())


@pytest.fixture
def files(voice: FrontEnd) -> Files:
    return site_speech.files_of(voice)


def test_in_float32_all_is_read_back(voice: FrontEnd) -> None:
    found = site_speech.read(site_speech.files_of(voice, "fp32"))
    assert (found.spec, found.dictionary) == (voice.spec, voice.dictionary)
    assert found.weights.keys() == voice.weights.keys()
    for name, weight in voice.weights.items():
        np.testing.assert_array_equal(found.weights[name], weight)


def test_in_eight_bits_a_weight_is_off_by_half_a_step_of_its_output() -> None:
    voice = front_end(spec(channels=64))
    found = site_speech.read(site_speech.files_of(voice))
    for name, weight in voice.weights.items():
        step = np.abs(weight).max(axis=tuple(range(weight.ndim - 1))) / 127
        half = step / 2 if name.endswith(".weight") else 0
        assert (np.abs(found.weights[name] - weight) <= half * (1 + 1e-5)).all()
    sizes = {p: len(site_speech.files_of(voice, p)[WEIGHTS]) for p in site_speech.PRECISIONS}
    assert sizes["int8"] < 0.3 * sizes["fp32"]


def test_another_precision_is_one_line(voice: FrontEnd) -> None:
    with pytest.raises(WavestepError, match=r"precision 'int9' is unknown; .*: int8, fp32"):
        site_speech.files_of(voice, "int9")


def lines(several: list[Files]) -> list[str]:
    """Those that refuse front ends."""
    return [answer["error"] for answer in of_each(several, ONE)]


@needs_node
def test_text_or_object_buffer_or_part_of_one_are_the_same(files: Files) -> None:
    text, item, part = of_each([files] * 3, ONE, ["text", "object", "part"])
    assert "frames" in text[0]
    assert text == item == part


DAMAGED = "speech.json is cut short or damaged; export the site again"
SPECS: tuple[tuple[str, Any, str], ...] = (
    ("format", 2, "speech.json is of format 2, this page reads 1; export the site again"),
    ("spec", None, DAMAGED),
    ("spec.features", {}, DAMAGED),
    ("spec.features.phones", ["AH"], DAMAGED),
    ("spec.width", 4, DAMAGED),
    ("spec.layers", -1, DAMAGED),
    ("words", None, DAMAGED),
    ("words", "one W ZH N\n", "speech.json: phone 'ZH' is unknown; this voice has: AX, sil, "),
    ("spec.layers", 3, "speech.safetensors: 'durations.2.weight' is missing; export the site"),
    (
        "spec.channels",
        9,
        "speech.safetensors: 'durations.input.weight' is (21, 8), the spec asks for (21, 9); ",
    ),
    ("spec.channels", 2049, DAMAGED),
    ("spec.layers", 10**15, DAMAGED),
)


@needs_node
def test_a_spec_that_is_none_is_one_line(files: Files) -> None:
    found = lines([_changed(files, path, value) for path, value, _ in SPECS])
    for line, (path, value, message) in zip(found, SPECS, strict=True):
        assert line.startswith(message), (path, value)


def _changed(files: Files, path: str, value: Any) -> Files:
    content = json.loads(files[JSON])
    *keys, last = path.split(".")
    functools.reduce(lambda table, key: table[key], keys, content)[last] = value
    return {**files, JSON: json.dumps(content).encode()}


ARRAYS: tuple[tuple[str, np.ndarray[Any, Any] | None, str], ...] = (
    ("prosody.1.bias", None, "'prosody.1.bias' is missing"),
    ("prosody.1.weight.scale", None, "'prosody.1.weight.scale' is missing"),
    ("prosody.mean", np.full(3, np.nan, np.float32), "'prosody.mean' holds NaN or infinity"),
    ("prosody.mean", np.zeros(3, np.float64), "'prosody.mean' is missing"),
    ("prosody.mean", np.zeros((3, 1), np.float32), "'prosody.mean' is (3, 1), the spec asks"),
)


@needs_node
def test_weights_that_are_others_are_one_line(files: Files) -> None:
    found = lines([_with_array(files, name, array) for name, array, _ in ARRAYS])
    for line, (_, _, message) in zip(found, ARRAYS, strict=True):
        assert line.startswith(f"speech.safetensors: {message}")


def _with_array(files: Files, name: str, array: np.ndarray[Any, Any] | None) -> Files:
    arrays = safetensors.numpy.load(files[WEIGHTS])
    del arrays[name]
    if array is not None:
        arrays[name] = array
    return {**files, WEIGHTS: safetensors.numpy.save(arrays)}


@needs_node
def test_files_cut_short_are_one_line(files: Files) -> None:
    weights, text = files[WEIGHTS], files[JSON]
    kept = [weights[:size] for size in (0, 7, 8, 500, len(weights) // 2, len(weights) - 1)]
    for line in lines([{**files, WEIGHTS: some} for some in kept]):
        assert line.startswith("speech.safetensors is cut short")
    kept = [text[:size] for size in (0, 1, 30, len(text) // 2, len(text) - 2)]
    for line in lines([{**files, JSON: some} for some in kept]):
        assert line == DAMAGED


@needs_node
def test_weights_of_another_format_are_one_line(files: Files) -> None:
    headers = (b"[]", b"null", b"{", b'{"a": 1}', b'{"a": {"shape": "x"}}', b"{}")
    odd = [{**files, WEIGHTS: len(each).to_bytes(8, "little") + each} for each in headers]
    for line in lines(odd):
        assert line.startswith("speech.safetensors")
        assert line.endswith("; export the site again")


@needs_node
def test_a_browser_that_lacks_what_it_takes_is_told(files: Files) -> None:
    simd, memory, after = of_each([files] * 3, ONE, ["without SIMD", "without memory", "text"])
    assert "no WebAssembly SIMD; take one of 2021" in simd["error"]
    assert memory["error"] == (
        "this voice's front end takes 1 MB, more than is here; take one of fewer channels"
    )
    assert "frames" in after[0]
    large = _changed(_changed(files, "spec.channels", 2048), "spec.width", 63)
    assert re.match(r"this voice's front end takes \d{4} MB, more than is here", lines([large])[0])


@needs_node
def test_words_that_no_text_has_do_no_harm(voice: FrontEnd) -> None:
    known = {**voice.dictionary.pronunciations, "a(b)": (("Z",),), '"': (("Z",),), ",": (("Z",),)}
    odd = FrontEnd(
        voice.spec, voice.weights, dataclasses.replace(voice.dictionary, pronunciations=known)
    )
    files = site_speech.files_of(odd)
    assert site_speech.read(files).dictionary == odd.dictionary
    (answer,) = answers(files, [("one, one", {"speaker": 0})])
    assert "Z" not in answer["phones"]
