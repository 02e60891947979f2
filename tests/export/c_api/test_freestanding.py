"""On a target with no system and no C library, WebAssembly: no imports, and the same audio."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import wn_runtime
from tests.export.c_api.c_voice import write_source
from tests.export.c_api.models import GLOBAL, choices_of
from tests.models.model_dir import write_model
from tests.models.specs import random_weights
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.library import layout
from wn_export.c_api.model_file import Named, packed_model
from wn_runtime.engines.native import zig

SPEAK = """
const fs = require("fs");
const [wasm, model, seed, count, choices] = process.argv.slice(1);
const code = new WebAssembly.Module(fs.readFileSync(wasm));
const c = new WebAssembly.Instance(code, {}).exports;
let next = c.__heap_base.value;
function memory(bytes) {
    const at = Math.ceil(next / 64) * 64;
    next = at + bytes;
    const missing = next - c.memory.buffer.byteLength;
    if (missing > 0) c.memory.grow(Math.ceil(missing / 65536));
    return at;
}
const file = fs.readFileSync(model), at = memory(file.length), found = memory(4);
new Uint8Array(c.memory.buffer, at).set(file);
let status = c.wavestep_open(at, file.length, found);
const bytes = c.wavestep_voice_bytes(at, 0), voice = memory(bytes);
status ||= c.wavestep_init(voice, bytes, at, 0);
for (const [condition, value] of JSON.parse(choices))
    status ||= c.wavestep_choose(voice, condition, value);
status ||= c.wavestep_begin(voice, BigInt(seed), 0, 0.9);
const audio = memory(4 * count), made = c.wavestep_read(voice, audio, Number(count));
console.log(JSON.stringify({
    status, made, imports: WebAssembly.Module.imports(code),
    audio: Array.from(new Float32Array(c.memory.buffer, audio, Number(count))),
}));
"""


@pytest.mark.skipif(not zig.command(), reason="needs zig (pip install ziglang)")
@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_it_runs_where_there_is_nothing(tmp_path: Path) -> None:
    spec = GLOBAL["tags"]
    weights, chosen = random_weights(spec), choices_of(spec)
    shapes = HostShapes(spec, "fp32", weights)
    source, wasm = write_source(tmp_path / "c", shapes), tmp_path / "model.wasm"
    flags = [*("-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", *zig.FLAGS), "-s"]
    linking = ["-Wl,--no-entry", "-Wl,--export-dynamic", "-Wl,--export=__heap_base"]
    target = ["-target", "wasm32-freestanding", "-mcpu=generic+simd128", "-fvisibility=hidden"]
    subprocess.run(
        [*zig.command(), *target, *flags, *linking, str(source), "-o", str(wasm)],
        check=True,
        env=zig.environment(tmp_path / "kept"),
    )
    packed = tmp_path / "model.wn"
    packed.write_bytes(packed_model(shapes, Named("toy", 0.9), layout(wasm).tiles))
    indices = [
        (i, condition.values.index(value))
        for i, condition in enumerate(spec.conditions)
        for value in chosen[condition.name].split("+")
    ]
    said = subprocess.run(
        ["node", "-e", SPEAK, str(wasm), str(packed), "7", "500", json.dumps(indices)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(said.stdout)
    assert (found["status"], found["made"], found["imports"]) == (0, 500, [])
    directory = write_model(tmp_path / "toy", spec)
    with (
        wn_runtime.open(directory, "onnx", precision="fp32") as model,
        model.begin(chosen, 7, 0.9) as stream,
    ):
        np.testing.assert_array_equal(np.float32(found["audio"]), stream.read(500)[:, 0])
