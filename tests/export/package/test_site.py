"""`wn-export DIR --target browser`: a site that is whole, ours to replace, and of these files."""

from __future__ import annotations

import dataclasses
import gzip
import importlib.resources
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.export.commands.invoke import error_of, run
from tests.models.model_dir import write_model
from tests.models.speaking import write_voice
from tests.models.specs import CORNERS, PLAIN
from tests.runtime.engines.native.wheel import install, only
from wn_export.c_api import wasm
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.library import Layout
from wn_export.commands.export import main
from wn_export.package import site
from wn_export.parity import reference as references
from wn_export.parity.expected import Clip
from wn_runtime.engines.native import zig
from wn_runtime.engines.native.compiler import Compiler
from wn_runtime.engines.native.pack import Tiles
from wn_runtime.model.package import ModelPackage

COMPILED = b"\0asm of a build"


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One that makes nothing; the builds it was asked for."""
    asked: list[str] = []

    def compile_wasm(_compiler: Compiler, build: str, shapes: HostShapes, out: Path) -> Layout:
        asked.append(build)
        out.write_bytes(COMPILED)
        return Layout(3, Tiles(16, 4), shapes.digest)

    monkeypatch.setattr(wasm, "find_compiler", lambda: Compiler(("zig", "cc"), "9"))
    monkeypatch.setattr(wasm, "compile_wasm", compile_wasm)
    return asked


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "voice", CORNERS["two_conditions"])


def exported(*arguments: object) -> str:
    result = run(main, *arguments, "--target", "browser")
    assert result.exit_code == 0, result.output
    return result.stdout


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def unpacked(site: Path, what: str) -> bytes:
    record = json.loads((site / "model/site.json").read_text())["files"][what]
    data = (site / "model" / record["name"]).read_bytes()
    assert len(data) == record["bytes"]
    return gzip.decompress(data)


def test_a_site_is_the_page_and_what_its_index_says(
    tmp_path: Path, model: Path, compiler: list[str]
) -> None:
    out = tmp_path / "site"
    text = exported(model, "-o", out)
    assert text.splitlines()[-1] == f"next     python3 -m http.server -d {out}"
    assert compiler == ["relaxed", "simd"]
    page = [p for p in names(site.ASSETS) if p != "package.json"]
    made = ["engine.relaxed.wasm", "engine.simd.wasm", "model.wn", "site.json"]
    assert names(out) == sorted([*page, *(f"model/{name}" for name in made)])
    assert unpacked(out, "model").startswith(b"\x89WNM")
    assert (out / "model/engine.simd.wasm").read_bytes() == COMPILED
    again = tmp_path / "again"
    exported(model, "-o", again)
    assert all((out / name).read_bytes() == (again / name).read_bytes() for name in names(out))


def test_without_a_place_it_is_named_after_the_model(
    tmp_path: Path, model: Path, compiler: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exported(model)
    assert (tmp_path / "voice-site/index.html").is_file()


def test_the_page_asks_for_nothing_that_is_not_there() -> None:
    for path in site.ASSETS.rglob("*"):
        if path.suffix not in (".js", ".html", ".css"):
            continue
        text = path.read_text("utf-8")
        wanted = re.findall(r'(?:from|src=|href=|Worker\(|fetch\()\s*"([^"]+)"', text)
        for name in wanted:
            if name.startswith("data:"):
                continue
            beside = path.parent if name.startswith(".") else site.ASSETS
            assert (beside / name).is_file(), f"{path.name}: {name}"
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", text))
        assert addresses <= {"http://localhost:8000", "https://", "http://www.w3.org/2000/svg"}


def test_the_assets_are_in_the_package() -> None:
    page = importlib.resources.files("wn_export") / "site"
    assert (page / "index.html").is_file()
    assert (page / "sound" / "worklet.js").is_file()


def test_in_int8_the_conditioner_has_eight_bits_and_else_all(
    tmp_path: Path, compiler: list[str]
) -> None:
    directory = write_voice(tmp_path / "voice", "hi  h ay\n")
    weights = ModelPackage(directory).weights
    sizes = {}
    for precision in ("int8", "bf16", "fp32"):
        exported(directory, "-o", tmp_path / precision, "--precision", precision)
        data = unpacked(tmp_path / precision, "model")
        there = weights["condition.frames.weight"].tobytes() in data
        assert there is (precision != "int8")
        sizes[precision] = (tmp_path / precision / "model/speech.safetensors").stat().st_size
        assert json.loads(unpacked(tmp_path / precision, "words"))["words"]
    assert sizes["int8"] < sizes["bf16"] == sizes["fp32"]
    kept = site.page_weights(ModelPackage(directory), "int8")
    for name, array in weights.items():
        assert np.abs(kept[name] - array).max() <= 2**-8 * np.abs(array).max()


def test_what_the_user_put_there_stays_and_what_an_older_page_had_goes(
    tmp_path: Path, model: Path, compiler: list[str]
) -> None:
    out = tmp_path / "site"
    exported(model, "-o", out)
    (out / "CNAME").write_text("voice.example")
    (out / "more").mkdir()
    (out / "more/talk.html").write_text("hello")
    index = json.loads((out / "model/site.json").read_text())
    (out / "old.js").write_text("")
    index["ours"].append("old.js")
    (out / "model/site.json").write_text(json.dumps(index))
    exported(model, "-o", out)
    assert (out / "CNAME").read_text() == "voice.example"
    assert (out / "more/talk.html").read_text() == "hello"
    assert not (out / "old.js").exists()


@pytest.mark.parametrize("what", ["a file", "a folder", "a model", "another index"])
def test_what_is_no_site_is_not_replaced(
    tmp_path: Path, model: Path, compiler: list[str], what: str
) -> None:
    out = tmp_path / "out"
    if what == "a model":
        write_model(out, PLAIN)
    elif what == "a file":
        out.write_text("mine")
    else:
        (out / "model").mkdir(parents=True)
        (out / "model/site.json").write_text('{"made_by": "hand"}' if what[0] == "a" else "{")
        (out / "model/mine").write_text("mine")
    before = names(tmp_path)
    said = error_of(main, model, "--target", "browser", "-o", out)
    assert f"{out} " in said
    assert "give another -o" in said
    assert names(tmp_path) == before


def test_nothing_is_left_where_the_compiler_fails(
    tmp_path: Path, model: Path, compiler: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    exported(model, "-o", out)
    before = names(tmp_path)
    broken = install(tmp_path / "broken", "#!/bin/sh\n[ $1 = version ] && echo 9 && exit\nexit 1\n")
    monkeypatch.undo()
    monkeypatch.setenv("CC", f"{broken} cc")
    said = error_of(main, model, "--target", "browser", "-o", out)
    assert "zig (9) could not compile the C API" in said
    assert [name for name in names(tmp_path) if not name.startswith("broken")] == before


def test_without_the_compiler_the_way_to_it_is_told(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(zig, "_folders", list)
    out = tmp_path / "site"
    said = error_of(main, model, "--target", "browser", "-o", out)
    assert said == f"error: WebAssembly needs the compiler zig; {zig.how_to_get()}"
    monkeypatch.undo()
    monkeypatch.delenv("CC", raising=False)
    install(tmp_path / "packages").unlink()
    only(monkeypatch, tmp_path / "packages")
    said = error_of(main, model, "--target", "browser", "-o", out)
    assert "the package ziglang here is a placeholder" in said
    monkeypatch.setenv("CC", "gcc")  # which compiles for no browser
    assert "needs the compiler zig" in error_of(main, model, "--target", "browser", "-o", out)
    assert not out.exists()


def test_what_cannot_be_asked_for_is_told(
    tmp_path: Path, model: Path, compiler: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "voice.pt").write_bytes(b"")
    browser = ("--target", "browser")
    assert "export it first" in error_of(main, tmp_path / "voice.pt", *browser)
    assert "'int9' is unknown" in error_of(main, model, *browser, "--precision", "int9")
    assert "goes with -o and --precision" in error_of(main, model, *browser, "--fp16")
    for other in ("--c-api", "--bundle"):
        said = error_of(main, model, *browser, other, tmp_path / "x")
        assert "error: --target browser goes with -o and --precision alone" in said
    assert "--precision goes with" in error_of(main, model, "--precision", "int8")
    monkeypatch.setattr(site, "_MOST_BYTES", 2**12)
    said = error_of(main, model, *browser, "-o", tmp_path / "site")
    assert "of memory, a page has at most" in said
    assert compiler == []


def test_a_model_of_frames_is_shown_with_a_recording(
    tmp_path: Path, compiler: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_voice(tmp_path / "voice", "hi  h ay\n")
    package = ModelPackage(directory)
    channels = package.conditioner.timing.frame_channels
    frames = np.random.default_rng(0).normal(size=(3000, 1, channels)).astype(np.float32)
    chosen = {"speaker": "bob"}
    clips = (
        Clip(np.zeros(1, np.int32), {}, frames[:1]),
        Clip(np.zeros(9, np.int32), chosen, frames),
    )
    reference = dataclasses.make_dataclass("Reference", ["clips"])(clips)
    monkeypatch.setattr(references, "load", lambda _package: reference)
    monkeypatch.setattr(ModelPackage, "front_end", None)
    exported(directory, "-o", tmp_path / "site")
    found = np.load(io.BytesIO(unpacked(tmp_path / "site", "example")))
    seconds = len(found) * package.conditioner.timing.hop / package.spec.sample_rate
    assert seconds == pytest.approx(4, abs=0.01)
    np.testing.assert_array_equal(found, frames[: len(found), 0])
    assert json.loads((tmp_path / "site/model/site.json").read_text())["chosen"] == chosen
