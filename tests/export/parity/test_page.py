"""report.html and report.json hold names as text, and engines that gave no numbers as failures."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.export.references import reference_of
from tests.models import model_dir, specs
from wn_export.parity.available import Unavailable
from wn_export.parity.compare import Comparison
from wn_export.parity.page import page, pictures
from wn_export.parity.prove import Proof, to_json, write_reports
from wn_runtime.model import manifest as manifests
from wn_runtime.model.layout import layout
from wn_runtime.model.manifest import ConditionerRow, Manifest, ParityRow

REFERENCE = reference_of(specs.PLAIN, clips=(300,))
NUMBERS = ParityRow("onnx", "fp32", 1e-6, 1e-7, 0.0, 60, None, None, True)
NONE = ParityRow("onnx", "fp16", None, None, None, 0, None, None, False)
HOSTILE = [
    "<script>alert(1)</script>",
    "' onerror='alert(1)",
    '" onload="alert(1)',
    "</title><img src=x>",
    "&lt;",
    "a\x1b[2J\nb",
    "\u202egnp.exe",
    "\x9b31m",
]


class Reader(HTMLParser):
    """What a browser would find."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def compared(row: ParityRow, fault: str | None = None) -> Comparison:
    errors = np.full(100, 1e-7 if fault is None else np.nan, np.float32)
    samples = REFERENCE.free.clip.samples if fault is None else REFERENCE.free.clip.samples[:0]
    return Comparison(row, (None if fault else 3.0,), errors, samples, False, fault)


def drawn(name: str, *comparisons: Comparison, material: str = "audio") -> str:
    reference = dataclasses.replace(REFERENCE, material=material)
    manifest = Manifest(manifests.FORMAT, "voice", specs.PLAIN, {}, state=layout(specs.PLAIN))
    object.__setattr__(manifest, "name", name)  # which it would refuse, hostile as it is
    bias = (ConditionerRow("numpy", 1e-7, True),)
    lacking = (Unavailable("cuda", "fp32", material),)
    return page(manifest, Proof(reference, comparisons, bias, lacking, strict=False))


def read(text: str) -> list[tuple[str, tuple[str, ...]]]:
    reader = Reader()
    reader.feed(text)
    return reader.tags


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_name_adds_no_tags_and_no_attributes(hostile: str) -> None:
    usual = drawn("voice", compared(NONE, "fault"))
    text = drawn(hostile, compared(NONE, hostile), material=hostile)
    assert read(text) == read(usual)
    assert text.replace("\n", "").isprintable(), "not even where it is shown on a terminal"


def test_an_engine_without_numbers_is_a_row_without_sound() -> None:
    text = drawn("voice", compared(NUMBERS), compared(NONE, "its params are not numbers"))
    assert text.count("<audio") == 3, "a recording, PyTorch and the other engine"
    assert "none: its params are not numbers" in text
    assert "<td class='number'>nan</td>" in text


def test_the_verdict_is_on_top_and_says_what_it_rests_on() -> None:
    good, bad = compared(NUMBERS), compared(dataclasses.replace(NUMBERS, passed=False))
    for comparison, mark in ((good, "PASS"), (bad, "FAIL")):
        text = drawn("voice", comparison, material="so much audio")
        top = text[text.index("<h1>") : text.index("<h2>")]
        assert f"<div class='verdict {mark}'>" in top
        for words in ("so much audio", "machine", "date", "versions", "seed 1", "cuda: "):
            assert words in top
    assert "onnx in float32: PyTorch" in drawn("voice", good)
    assert "onnx fp32 is outside tolerance." in drawn("voice", bad)


def test_a_tie_within_float_error_is_told_and_is_of_float32_alone() -> None:
    apart = dataclasses.replace(NUMBERS, first_difference=7, margin=1e-8)
    exact = dataclasses.replace(compared(apart), within_float_error=True)
    text = drawn("voice", compared(NUMBERS), exact)
    assert "one by one (onnx: up to a tie within float error)." in text
    assert "first differs at sample 7 (margin 1.0e-08, within float error)" in text
    lower = dataclasses.replace(exact, row=dataclasses.replace(apart, precision="int8"))
    assert "first differs at sample 7 (margin 1.0e-08)" in drawn("voice", lower)
    assert "one by one" not in drawn("voice", lower).replace("compared one by one", "")


def test_the_page_is_one_file_for_any_screen() -> None:
    text = drawn("voice", compared(NUMBERS))
    assert "width=device-width" in text
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text, "nothing is fetched"


def test_a_picture_shows_what_is_to_be_heard() -> None:
    rate = 8000
    audio = 1e-3 * np.random.default_rng(0).standard_normal(3 * rate).astype(np.float32)
    audio[rate : 2 * rate] += np.sin(np.arange(rate) / 3).astype(np.float32)
    start, end = pictures.heard([audio], rate)
    assert 0 < rate - start <= 0.11 * rate
    assert 0 < end - 2 * rate <= 0.11 * rate
    assert pictures.heard([audio[:rate] * 0], rate) == (0, rate)
    assert pictures.heard([], rate) == (0, 0)


@pytest.mark.parametrize("hostile", [*HOSTILE, "\ud800"])
def test_the_report_is_ascii_and_without_nan(tmp_path: Path, hostile: str) -> None:
    directory = model_dir.write_model(tmp_path / "voice", specs.PLAIN)
    manifest = dataclasses.replace(manifests.read(directory), versions={"x": hostile})
    proof = Proof(
        dataclasses.replace(REFERENCE, material=hostile),
        (compared(NONE, hostile),),
        (ConditionerRow("onnx", None, False),),
        (Unavailable("onnx", "fp32", hostile),),
        strict=False,
    )
    text = to_json(manifest, proof)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    data = json.loads(text, parse_constant=lambda constant: pytest.fail(constant))
    assert data["reference"]["material"] == hostile
    assert data["engines"][0]["max_error"] is None
    assert data["engines"][0]["fault"] == hostile


def test_reports_replace_links_and_write_through_none(tmp_path: Path) -> None:
    """In a directory that somebody else made, a report may be a link to a file of the user's."""
    directory = model_dir.write_model(tmp_path / "voice", specs.PLAIN)
    (tmp_path / "mine").write_text("mine")
    for name in ("report.json", "report.html"):
        (directory / name).symlink_to(tmp_path / "mine")
    proof = Proof(REFERENCE, (compared(NUMBERS),), (), (), strict=False)
    write_reports(directory, manifests.read(directory), proof, lambda line: None)
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (directory / "report.json").is_symlink()
