"""A packed model that is cut, damaged or another's is refused; a forged one is no crash."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.export.c_api.c_voice import PLAIN, CApi, CVoice, build_plain, in_memory, write_source
from tests.export.c_api.models import FRAMED, weights_of
from tests.models.specs import PLAIN as SPEC
from tests.models.specs import random_weights
from tests.runtime.engines.native.targets import needs_compiler
from wn_export.c_api.host_shapes import HostShapes
from wn_export.c_api.library import layout
from wn_export.c_api.model_file import Named, packed_model, with_checksum
from wn_runtime.engines.native.pack import Tiles

pytestmark = needs_compiler
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
Built = tuple[CApi, bytes]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_plain(tmp_path_factory.mktemp("c"), SPEC, random_weights(SPEC), "fp32")


def refusal(api: CApi, data: bytes) -> str:
    status, _ = api.opened(data)
    assert status < 0
    return str(api.text(status).decode())


def changed(data: bytes, at: int, new: bytes) -> bytes:
    """Forged: with the checksum that it should have."""
    return with_checksum(data[:at] + new + data[at + len(new) :])


def tiles(data: bytes) -> Tiles:
    """Those that a packed model's header has."""
    return Tiles(*(struct.unpack_from("<I", data, at)[0] for at in (28, 132, 160)))


def test_damage_of_any_byte_is_found(built: Built) -> None:
    api, data = built
    for at in (*range(192), *range(192, len(data), 997), len(data) - 1):
        assert refusal(api, data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])


def test_what_is_wrong_is_said(built: Built) -> None:
    api, data = built
    assert api.opened(data)[0] == 0
    assert "cut short" in refusal(api, data[:-1])
    assert "cut short" in refusal(api, data[:100])
    assert "damaged" in refusal(api, data + b"\0")
    assert "not a packed" in refusal(api, b"")
    assert "not a packed" in refusal(api, b"RIFF" + data[4:])
    assert "another format" in refusal(api, data[:8] + struct.pack("<I", 2) + data[12:])
    assert "damaged" in refusal(api, data[:-9] + b"x" + data[-8:])
    assert "another kind of CPU" in refusal(api, changed(data, 28, struct.pack("<I", 128)))
    assert "another kind of CPU" in refusal(api, changed(data, 132, struct.pack("<I", 8)))
    assert "another kind of CPU" in refusal(api, changed(data, 160, struct.pack("<I", 8)))
    assert "another precision" in refusal(api, changed(data, 24, struct.pack("<I", 3)))
    assert "damaged" in refusal(api, changed(data, 144, struct.pack("<d", 1.5)))  # de-emphasis
    assert "damaged" in refusal(api, changed(data, len(data) - 1, b"x"))  # a name without its end
    memory, model = in_memory(b"\0" * 8 + data), ctypes.c_void_p(1)
    status = api.open(memory.ctypes.data + 8, len(data), ctypes.byref(model))
    assert "multiple of 64" in api.text(status).decode()
    assert model.value is None


def test_another_models_file_is_refused(built: Built) -> None:
    """Of other shapes, of which the sizes may be the same."""
    api, data = built
    other = dataclasses.replace(SPEC, dilations=(2, 1, 4))
    shapes = HostShapes(other, "fp32", random_weights(other))
    found = packed_model(shapes, Named("toy", 0.9), tiles(data))
    assert len(found) == len(data)
    assert "not the one that this library" in refusal(api, found)


def test_a_file_is_the_same_wherever_it_is_made(built: Built) -> None:
    _, data = built
    shapes = HostShapes(SPEC, "fp32", random_weights(SPEC))
    assert packed_model(shapes, Named("toy", 0.9), tiles(data)) == data


def test_a_library_says_what_it_reads(built: Built, tmp_path: Path) -> None:
    api, data = built
    found = layout(Path(api.library._name))
    assert (found.precision,) == struct.unpack_from("<I", data, 24)
    assert found.tiles == tiles(data)
    assert found.digest == data[32:64]


def sanitizers() -> bool:
    """Whether the compiler here has them, and its programs run."""
    if not shutil.which("cc"):
        return False
    command = ["cc", *SANITIZED, "-x", "c", "-", "-o", "/dev/null"]
    return not subprocess.run(
        command, input=b"int main(void) { return 0; }", capture_output=True, check=False
    ).returncode


@pytest.mark.skipif(not sanitizers(), reason="cc has no sanitizers here")
@pytest.mark.parametrize("precision", ["int8"])
def test_no_file_and_no_call_reads_or_writes_beyond(tmp_path: Path, precision: str) -> None:
    """fuzz.c: every prefix, every byte of the header, forged weights, calls in any order."""
    spec = FRAMED["everything"]
    shapes = HostShapes(spec, precision, weights_of(spec))
    source, driver = write_source(tmp_path, shapes), Path(__file__).with_name("fuzz.c")
    program = tmp_path / "fuzz"
    flags = [*PLAIN, *SANITIZED, "-I", str(tmp_path)]
    subprocess.run(["cc", *flags, str(source), str(driver), "-o", str(program)], check=True)
    model = tmp_path / "model.wn"
    model.write_bytes(packed_model(shapes, Named("toy", 0.9), layout(program).tiles))
    done = subprocess.run(
        [str(program), str(model), "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    opened, refused = (int(word) for word in done.stdout.split() if word.isdigit())
    assert opened > 120  # forged weights, and those as they are
    assert refused > 800


def test_a_voice_of_forged_weights_makes_some_sound(built: Built) -> None:
    """Numbers that are none: samples are in range all the same."""
    api, data = built
    broken = bytearray(data)
    words = np.frombuffer(broken, np.float32, (len(data) - 192) // 4, 192)
    words[: len(words) // 2] = np.nan
    status, file = api.opened(with_checksum(bytes(broken)))
    assert status == 0
    audio = CVoice(api, file).begin(1).read(100)
    assert len(audio) == 100
    assert np.abs(audio).max() <= 1
