"""The page in Chromium: its sound is Python's, it is quiet in the console, and faults are told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wn_runtime
from tests.export.commands.invoke import run
from tests.export.site.browser import needs_browser, visited
from tests.export.site.node import array, sent
from tests.export.site.speech.asking import answers
from tests.export.site.test_engine import FRAMED
from tests.models.model_dir import write_model
from tests.models.speaking import write_voice
from tests.runtime.engines.native.targets import needs_compiler
from tests.runtime.engines.native.wheel import needs_zig
from wn_export.commands.export import main
from wn_export.package import site, site_speech
from wn_runtime.model.package import ModelPackage

pytestmark = [*needs_browser, needs_zig, needs_compiler]
TEXT = "hi, ho hi"
SLOW = "const until = performance.now() + 300; while (performance.now() < until);"
FRAMES = np.random.default_rng(3).normal(size=(900, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice in voice/ and its site, a model of frames and tags in framed/ and its own."""
    folder = tmp_path_factory.mktemp("sites")
    write_voice(folder / "voice", "hi  h ay\nho  h ow\n")
    write_model(folder / "framed", FRAMED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "_write_example", lambda *_: {})  # it has no recording
        for name, precision in (("voice", "fp32"), ("framed", "bf16")):
            words = ("--target", "browser", "--precision", precision)
            result = run(main, folder / name, *words, "-o", folder / f"{name}-site")
            assert result.exit_code == 0, result.output
    return folder


def wav_of(folder: Path, audio: Any, rate: int) -> bytes:
    path = folder / "expected.wav"
    wn_runtime.write(path, audio, rate)
    return path.read_bytes()


def test_a_text_sounds_as_in_python_by_mouse_and_keyboard_offline_on_a_phone(
    sites: Path, tmp_path: Path
) -> None:
    said = {"fill": {"text": TEXT, "seed": "7", "temperature": "0.9"}, "save": True}
    who = {"choose": {"condition-speaker": "bob"}}
    steps = [
        {**said, **who, "play": True},
        {**said, "press": "Enter"},
        {"fill": {"text": "hi huh"}, "press": "Enter"},
        {"fill": {"text": "hi " * 400}, "press": "Enter", "stopAt": "length"},
        {"fill": {"text": TEXT, "seed": "1e3"}, "press": "Enter"},
    ]
    (found,) = visited(
        sites, [{"at": "voice-site/", "steps": steps, "offline": True, "width": 360}]
    )
    assert found["said"] == []
    first, second, unknown, stopped, bad, _ = found["seen"]

    files = site_speech.files_of(ModelPackage(sites / "voice").front_end, "fp32")  # type: ignore[arg-type]
    (answer,) = answers(files, [(TEXT, {"speaker": "bob"})])
    frames = array(answer["frames"], "<f4").reshape(answer["count"], -1)
    with wn_runtime.open(sites / "voice", engine="native", precision="fp32") as model:
        stream = model.stream(seed=7, temperature=0.9, speaker="bob")
        stream.push(frames, last=True)
        audio = stream.read(stream.available or 0)
        rate = model.sample_rate
    assert first["wav"] == second["wav"] == sent(wav_of(tmp_path, audio, rate))
    assert first["name"] == "voice.wav"
    assert first["problem"] == ""
    assert first["length"] == f"{len(audio) / rate:.1f} s"
    assert first["gaps"].isdigit()
    assert first["first"].endswith(" ms")
    assert first["speed"].endswith("×")
    assert "relaxed SIMD" in first["model"]
    assert first["wide"] <= 360
    assert "a word is not in the dictionary: 'huh'" in unknown["problem"]
    assert 0 < float(stopped["length"].removesuffix(" s")) < 8
    assert "the seed is 1e3" in bad["problem"]


def test_frames_from_a_file_and_tags_sound_as_in_python(sites: Path, tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, FRAMES)
    whole = file.getvalue()
    steps = [
        {"play": True},
        {"file": sent(whole[:-1])},
        {"file": sent(whole), "check": ["löud", "slow"], "play": True, "save": True},
    ]
    (found,) = visited(sites, [{"at": "framed-site/", "steps": steps}])
    assert found["said"] == []
    without, cut, heard, _ = found["seen"]
    assert "choose a .npy file" in without["problem"]
    assert "cut short, or damaged" in cut["problem"]
    assert cut["file"] == "", "or what plays next would seem to be the file"
    assert heard["file"].endswith("a.npy")
    with wn_runtime.open(sites / "framed", engine="native", precision="bf16") as model:
        stream = model.stream(seed=1, style={"löud", "slow"})
        stream.push(FRAMES, last=True)
        audio = stream.read(stream.available or 0)
        assert heard["wav"] == sent(wav_of(tmp_path, audio, model.sample_rate))


def test_what_is_wrong_is_told(sites: Path) -> None:
    model, engine = "model/model.wn", "engine/engine.js"
    full = "(() => { throw new RangeError('no more'); })("
    (site_json,) = (sites / "voice-site/model").glob("site.json")
    size = (site_json.parent / "model.wn").stat().st_size
    visits: list[dict[str, Any]] = [
        {"before": "WebAssembly.validate = () => false"},
        {"replace": [{"name": model, "bytes": 1000}]},
        {"replace": [{"name": engine, "from": "this.#memory.grow(", "to": full}]},
        {"replace": [{"name": "model/site.json", "bytes": 20}]},
        {"replace": [{"name": engine, "from": "import", "to": "imp ort"}]},
    ]
    found = visited(sites, [{"at": "voice-site/", **visit} for visit in visits])
    simd, cut, memory, index, broken = (each["seen"][-1] for each in found)
    assert "this browser has no WebAssembly SIMD" in simd["problem"]
    assert f"model.wn has 1000 bytes in place of {size}: it is cut short" in cut["problem"]
    assert "more than the browser gives to a page" in memory["problem"]
    assert "site.json is damaged" in index["problem"]
    assert "a part of this page cannot be run" in broken["problem"]
    assert not any(each["seen"][-1]["ready"] for each in found)


def test_on_a_slow_cpu_the_sound_has_gaps_and_the_page_goes_on(sites: Path) -> None:
    slow = {"name": "engine/engine.js", "from": "read(samples) {", "to": f"read(samples) {{ {SLOW}"}
    steps = [
        {"fill": {"text": "hi ho"}, "play": True, "stopAt": "gaps"},
        {"fill": {"text": "hi"}, "play": True, "stopAt": "length"},
    ]
    (found,) = visited(
        sites, [{"at": "voice-site/", "replace": [slow], "steps": steps, "throttle": 6}]
    )
    first, second, _ = found["seen"]
    assert found["said"] == []
    assert int(first["gaps"]) > 0
    assert float(first["speed"].removesuffix("×")) < 1
    assert second["problem"] == ""
    assert float(second["length"].removesuffix(" s")) > 0
