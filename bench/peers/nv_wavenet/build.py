"""nv-wavenet's headers made fit for a CUDA of today, and driver.cu compiled with them."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT, TimeoutExpired, run

from wn_runtime.errors import WavestepError
from wn_targets.presets import PRESETS

DRIVER = Path(__file__).with_name("driver.cu")
FLAGS = ("-std=c++17", "-O3", "--use_fast_math", "-maxrregcount=128")
"""Those of nv-wavenet's Makefile, but for its C++11, which the headers of CUDA 13 are past."""
MODELS = {"L20 R64 S128": PRESETS["medium"], "L30 R64 S256": PRESETS["paper"]}
PRECISIONS = {"fp16": ("half2", "half"), "fp32": ("float", "float")}
IMPLEMENTATIONS = {"single block": 1, "dual block": 2, "persistent": 3, "many blocks": 4}
_COMPILING_S = 300


@dataclass(frozen=True)
class Edit:
    """A text of nv-wavenet that a CUDA of today does not take."""

    file: str
    old: str
    new: str
    why: str


EDITS = (
    Edit(
        "nv_wavenet_conversions.cuh",
        "attributes.memoryType == cudaMemoryTypeDevice",
        "attributes.type == cudaMemoryTypeDevice",
        "CUDA 11 took cudaPointerAttributes::memoryType away",
    ),
)


@dataclass(frozen=True)
class Program:
    """One model, precision and implementation."""

    model: str
    precision: str
    implementation: str

    @property
    def name(self) -> str:
        """Its file's."""
        return f"{self.model} {self.precision} {self.implementation}".replace(" ", "-")

    @property
    def definitions(self) -> list[str]:
        """Its shapes, as nvcc's arguments."""
        spec = MODELS[self.model]
        weight, data = PRECISIONS[self.precision]
        values = {
            "WEIGHT": weight,
            "DATA": data,
            "LAYERS": spec.layers,
            "MAX_DILATION": max(spec.dilations),
            "RESIDUAL": spec.residual_channels,
            "SKIP": spec.skip_channels,
            "OUTPUTS": spec.output.params,
            "IMPLEMENTATION": IMPLEMENTATIONS[self.implementation],
        }
        return [f"-D{name}={value}" for name, value in values.items()]


PROGRAMS = [Program(m, p, i) for m in MODELS for p in PRECISIONS for i in IMPLEMENTATIONS]


def edited(text: str, edit: Edit) -> str:
    """The text with its one place changed. Raises WavestepError unless there is just one."""
    places = text.count(edit.old)
    if places != 1:
        raise WavestepError(
            f"{edit.file} has '{edit.old}' in {places} places, not in 1; give a checkout of the "
            "newest github.com/NVIDIA/nv-wavenet (November 2018)"
        )
    return text.replace(edit.old, edit.new)


def prepare(checkout: Path, folder: Path) -> str:
    """Put its headers, edited, into a folder; returns the SHA-256 of them all as they were.

    Raises WavestepError for another folder than a checkout of nv-wavenet.
    """
    headers = {path.name: path for path in sorted(checkout.glob("*.cuh"))}
    for name in ("nv_wavenet.cuh", *(edit.file for edit in EDITS)):
        if name not in headers:
            raise WavestepError(
                f"{checkout} has no {name}; give a checkout of github.com/NVIDIA/nv-wavenet"
            )
    digest = hashlib.sha256()
    for name, path in headers.items():
        text = path.read_text("utf-8")
        digest.update(text.encode())
        for edit in EDITS:
            if edit.file == name:
                text = edited(text, edit)
        (folder / name).write_text(text, "utf-8")
    return digest.hexdigest()


def compile_all(nvcc: str, architecture: str, folder: Path) -> None:
    """Put every program into a folder, against the headers there.

    architecture: such as sm_90. Raises WavestepError with the compiler's first error.
    """

    def compile_one(program: Program) -> None:
        command = [nvcc, f"-arch={architecture}", *FLAGS, *program.definitions, f"-I{folder}"]
        command += ["-o", str(folder / program.name), str(DRIVER)]
        try:
            done = run(command, stdout=PIPE, stderr=STDOUT, text=True, timeout=_COMPILING_S)
        except TimeoutExpired:
            raise WavestepError(
                f"nvcc took more than {_COMPILING_S} s for {program.name}; free the CPUs"
            ) from None
        if done.returncode:
            lines = done.stdout.strip().splitlines() or ["it says nothing"]
            error = next((line for line in lines if "error" in line), lines[-1])
            raise WavestepError(f"nvcc cannot compile {program.name}: {error.strip()}")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, PROGRAMS))
