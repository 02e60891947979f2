"""Machine code read back from a cubin: nvdisasm writes it out as text, which is parsed here.

nvdisasm is of the package nvidia-cuda-nvdisasm, and needs no GPU or driver.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.gpu.sass.code import Code
from bench.gpu.sass.instruction import Instruction

PACKAGES = ("nvidia-cuda-nvdisasm", "nvidia-cuda-nvdisasm-cu12")
_SECONDS = 120.0
_LINE = re.compile(r"^\s*/\*[0-9a-f]+\*/\s+(?:@(!?U?P(?:\d+|T))\s+)?([A-Z][\w.]*)\s*(.*?)\s*;?\s*$")
_COMMENT = re.compile(r"\(\*.*?\*\)")
_LABEL = re.compile(r"^([.$\w]+):\s*$")
_TO = re.compile(r"`\(([.$\w]+)\)")


class NoDisassembler(Exception):
    """nvdisasm is not installed, or does not read the cubin."""


def parse(text: str, kernel: str) -> Code:
    """What nvdisasm writes of one kernel. Raises ValueError for text without it."""
    lines = iter(text.splitlines())
    if not any(line.strip() == f".text.{kernel}:" for line in lines):
        raise ValueError(f"no kernel {kernel} in the cubin")
    instructions: list[Instruction] = []
    labels: dict[str, int] = {}
    for line in lines:
        if line.startswith("//-----"):
            break
        label = _LABEL.match(line)
        if label:
            labels[label[1]] = len(instructions)
            continue
        found = _LINE.match(_COMMENT.sub("", line))
        if found:
            to = _TO.search(found[3])
            operands = tuple(part.strip() for part in found[3].split(",") if part.strip())
            instructions.append(
                Instruction(found[1] or "", found[2], operands, to[1] if to else "")
            )
    labels = {name: at for name, at in labels.items() if at < len(instructions)}
    if not instructions:
        raise ValueError(f"{kernel} has no instructions")
    return Code(tuple(instructions), labels)


def disassembler() -> Path:
    """nvdisasm. Raises NoDisassembler where there is none."""
    for package in PACKAGES:
        try:
            files = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in files:
            path = Path(str(file.locate()))
            if path.name == "nvdisasm" and path.exists():
                return path
    found = shutil.which("nvdisasm")
    if found is None:
        raise NoDisassembler(f"nvdisasm is not installed; pip install {PACKAGES[0]}")
    return Path(found)


def disassemble(cubin: bytes, kernel: str) -> Code:
    """One kernel of a cubin. Raises NoDisassembler, and ValueError where it has no such kernel."""
    tool = disassembler()
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        done = subprocess.run(
            [str(tool), "-c", file.name], capture_output=True, timeout=_SECONDS, check=False
        )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise NoDisassembler(f"{tool} cannot read the cubin: {reason[-1]}")
    return parse(done.stdout.decode(), kernel)
