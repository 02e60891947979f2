"""What a site ships of a front end: read back as it was, and refused in a line when damaged."""

from __future__ import annotations

import dataclasses
import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from tests.export.site.node import needs_node
from tests.export.site.speech.asking import answers, fetched
from tests.export.site.speech.voices import front_end, spec
from wn_export.package import site_speech
from wn_export.package.site_speech import JSON, WEIGHTS
from wn_runtime.errors import WavestepError
from wn_runtime.speech.front_end import FrontEnd

Files = dict[str, bytes]
ONE = [("one", {"speaker": "ann"})]


@pytest.fixture
def voice() -> FrontEnd:
    return front_end(spec())


@pytest.fixture
def files(voice: FrontEnd) -> Files:
    return site_speech.files_of(voice)


def changed(files: Files, change: Callable[[dict[str, Any]], None]) -> Files:
    content = json.loads(files[JSON])
    change(content)
    return {**files, JSON: json.dumps(content).encode()}


def with_array(files: Files, name: str, array: np.ndarray[Any, Any] | None) -> Files:
    arrays = safetensors.numpy.load(files[WEIGHTS])
    del arrays[name]
    if array is not None:
        arrays[name] = array
    return {**files, WEIGHTS: safetensors.numpy.save(arrays)}


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


@needs_node
def test_text_or_object_buffer_or_part_of_one_are_the_same(files: Files) -> None:
    expected = answers(files, ONE)
    assert "frames" in expected[0]
    assert answers(files, ONE, "object") == answers(files, ONE, "part") == expected


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        *keys, last = path.split(".")
        functools.reduce(lambda table, key: table[key], keys, content)[last] = value

    return change


@needs_node
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", 2, "speech.json is of format 2, this page reads 1; export the site again"),
        ("spec", None, "speech.json is cut short or damaged; export the site again"),
        ("spec.features", {}, "speech.json is cut short or damaged"),
        ("spec.features.phones", ["AH"], "speech.json is cut short or damaged"),
        ("spec.width", 4, "speech.json is cut short or damaged"),
        ("spec.layers", -1, "speech.json is cut short or damaged"),
        ("words", None, "speech.json is cut short or damaged"),
        ("words", "one W ZH N\n", "speech.json: phone 'ZH' is unknown; this voice has: AX, sil, "),
        ("spec.layers", 3, "speech.safetensors: 'durations.2.weight' is missing; export"),
        (
            "spec.channels",
            9,
            "speech.safetensors: 'durations.input.weight' is (21, 8), the spec asks for (21, 9)",
        ),
        ("spec.channels", 2**15, "this voice's front end takes "),
    ],
)
def test_a_spec_that_is_none_is_one_line(files: Files, path: str, value: Any, message: str) -> None:
    answer = answers(changed(files, _set(path, value)), ONE)
    assert answer["error"].startswith(message)


@needs_node
@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("prosody.1.bias", None, "'prosody.1.bias' is missing"),
        ("prosody.1.weight.scale", None, "'prosody.1.weight.scale' is missing"),
        ("prosody.mean", np.full(3, np.nan, np.float32), "'prosody.mean' holds NaN or infinity"),
        ("prosody.mean", np.zeros(3, np.float64), "'prosody.mean' is missing"),
        ("prosody.mean", np.zeros((3, 1), np.float32), "'prosody.mean' is (3, 1), the spec asks"),
    ],
)
def test_weights_that_are_others_are_one_line(
    files: Files, name: str, array: np.ndarray[Any, Any] | None, message: str
) -> None:
    answer = answers(with_array(files, name, array), ONE)
    assert answer["error"].startswith(f"speech.safetensors: {message}")


@needs_node
@pytest.mark.parametrize("part", [0, 7, 8, 500, 0.5, -1])
def test_weights_cut_short_are_one_line(files: Files, part: float) -> None:
    whole = files[WEIGHTS]
    kept = int(part * len(whole)) if isinstance(part, float) else part
    answer = answers({**files, WEIGHTS: whole[:kept]}, ONE)
    assert answer["error"].startswith("speech.safetensors is cut short")


@needs_node
@pytest.mark.parametrize("header", [b"[]", b"null", b"{", b'{"a": 1}', b'{"a": {"shape": "x"}}'])
def test_weights_of_another_format_are_one_line(files: Files, header: bytes) -> None:
    odd = len(header).to_bytes(8, "little") + header
    answer = answers({**files, WEIGHTS: odd}, ONE)
    assert answer["error"].startswith("speech.safetensors")


@needs_node
@pytest.mark.parametrize("kept", [0, 1, 30, -2])
def test_json_cut_short_is_one_line(files: Files, kept: int) -> None:
    answer = answers({**files, JSON: files[JSON][:kept]}, ONE)
    assert answer == {"error": "speech.json is cut short or damaged; export the site again"}


@needs_node
def test_a_browser_that_lacks_what_it_takes_is_told(files: Files) -> None:
    assert "no WebAssembly SIMD; take one of" in answers(files, ONE, "without SIMD")["error"]
    line = answers(files, ONE, "without memory")["error"]
    assert (
        line == "this voice's front end takes 1 MB, more than is here; take one of fewer channels"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    """The address of a server of tmp_path."""
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@needs_node
def test_files_on_a_server(files: Files, folder: str, tmp_path: Path) -> None:
    (tmp_path / JSON).write_bytes(files[JSON])
    line = fetched(folder, ONE)["error"]
    assert line == f"{folder}/{WEIGHTS} cannot be loaded: status 404; export the site again"
    (tmp_path / WEIGHTS).write_bytes(files[WEIGHTS])
    assert fetched(folder, ONE) == answers(files, ONE)


@needs_node
def test_a_server_that_is_gone_is_one_line() -> None:
    line = fetched("http://127.0.0.1:9", ONE)["error"]
    assert line.endswith("cannot be loaded: no answer; is its server still there?")


def test_words_that_are_no_word_of_a_text_do_no_harm(voice: FrontEnd) -> None:
    known = {**voice.dictionary.pronunciations, "a(b)": (("Z",),), '"': (("Z",),), ",": (("Z",),)}
    odd = FrontEnd(
        voice.spec, voice.weights, dataclasses.replace(voice.dictionary, pronunciations=known)
    )
    files = site_speech.files_of(odd)
    assert site_speech.read(files).dictionary == odd.dictionary
    assert "sil" in answers(files, [("one, one", {"speaker": 0})])[0]["phones"]
