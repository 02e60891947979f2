"""A machine without a driver's devices never has anything of CUDA imported unasked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.model_dir import with_default, write_model
from tests.models.specs import PLAIN
from wn_runtime.engines.cuda import present


def test_a_device_file_of_any_kind_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / name for name in ("nvidiactl", "nvmap")]
    monkeypatch.setattr(present, "DEVICES", tuple(map(str, files)))
    assert not present.gpu_present()
    files[1].touch()
    assert present.gpu_present()


@pytest.mark.skipif(present.gpu_present(), reason="an NVIDIA GPU could be here")
def test_the_fastest_engine_of_many_streams_is_opened_without_it(tmp_path: Path) -> None:
    directory = with_default(write_model(tmp_path / "model", PLAIN), "cuda", "int8")
    code = (
        "import sys, wn_runtime\n"
        f"engine = wn_runtime.open_engine({str(directory)!r}, batch=512)\n"
        "print(engine.name, 'cuda' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "native False\n"
    assert done.stderr == ""
