"""The bench of nv-wavenet from beginning to end, with stand-ins for the GPU and its compiler."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.peers.nv_wavenet.build import EDITS, IMPLEMENTATIONS
from bench.repository import ROOT

PROGRAM = """#!/bin/sh
case $0 in *persistent*) echo 'GPUassert: too many blocks'; exit 1;; esac
[ "$1" = 1:1 ] && case $0 in *dual*) echo first 128 7 8 10;; *) echo first 128 7 9 10;; esac
for word; do echo timed $word 1000 0.1 0.05 0.2; done
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where its tools are, alone on the path; and a checkout."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "program").write_text(PROGRAM)
    compile_it = f"while [ $1 != -o ]; do shift; done; cat {tools}/program > $2; chmod +x $2"
    answers = {
        "nvidia-smi": "case $* in *compute_cap*) echo 9.0;; *) echo A GPU, 580.1, 1980;; esac",
        "nvcc": f"[ $1 = --version ] || {{ {compile_it}; }}",
    }
    for name, code in answers.items():
        (tools / name).write_text(f"#!/bin/sh\n{code}\n")
        (tools / name).chmod(0o755)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "nv_wavenet.cuh").write_text("")
    for edit in EDITS:
        (checkout / edit.file).write_text(edit.old)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    return tmp_path


def run(machine: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.peers.nv_wavenet.speed", str(machine / "checkout")]
    command += ["--out", str(machine / "found.json")]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_case_is_in_the_table_and_in_the_file(machine: Path) -> None:
    done = run(machine)
    assert done.returncode == 0, done.stderr
    head, first, *_ = done.stdout.splitlines()[1:]
    assert [name for name in IMPLEMENTATIONS if name in head] == list(IMPLEMENTATIONS)
    assert " ".join(first.split()) == (
        "L20 R64 S128 fp16, 1 stream 10,000 (1) 10,000 (1) - 10,000 (1)"
    )
    assert "L30-R64-S256-fp32-persistent, 4:1: failed: GPUassert: too many blocks" in done.stdout
    found = json.loads((machine / "found.json").read_text())
    assert found["edits"][0]["why"]
    assert found["machine"]["gpus"] == ["A GPU, 580.1, 1980"]
    rows = found["rows"]
    assert len(rows) == 2 * 2 * 4 * 7
    agree = {row["implementation"]: row["agree"] for row in rows if "agree" in row}
    assert agree == {"single block": 4, "dual block": 2, "many blocks": 4}
    statuses = {row["status"] for row in rows if row["implementation"] == "persistent"}
    assert statuses == {"failed: GPUassert: too many blocks", "not tried"}


@pytest.mark.parametrize(
    ("tool", "error"),
    [("nvidia-smi", "error: nvidia-smi names no GPU"), ("nvcc", "error: no nvcc")],
)
def test_without_a_gpu_or_its_compiler_one_line_says_so(
    machine: Path, tool: str, error: str
) -> None:
    (machine / "tools" / tool).unlink()
    if shutil.which(tool):
        pytest.skip(f"{tool} is on this machine's path beside the shell")
    done = run(machine)
    assert done.returncode == 2
    assert done.stderr.startswith(error)
    assert done.stderr.count("\n") == 1
