"""`make test-gpu` runs on a machine where PyTorch and the CUDA packages are nearly all there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_gpu_suite_skips_what_is_missing_and_installs_nothing(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed: nothing to hide")
    environment = {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "PYTEST_ADDOPTS": f"-p tests.plugins.bare_machine -o cache_dir={tmp_path}",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        ["make", "test-gpu", f"PYTHON={sys.executable}", "NOVENV=1"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert re.search(r"^hidden: .*\bonnx\b", said, re.MULTILINE), "nothing was hidden"
    assert "tests/gpu/test_cuda.py" in said
    assert "no NVIDIA GPU can be used here" in said or "cuda-core cannot be imported" in said
    assert "-m venv" not in said
