"""README.txt of a bundle: what to type, in order, on the machine it lies on and on the device."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from wn_export.bundle.bundle import Bundle
from wn_export.bundle.place import TAR
from wn_export.bundle.systems import System
from wn_runtime.engines.code import code_artifacts
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.model.manifest import Manifest

_JETSON_CLOCK = """\
       grep POWER_MODEL /etc/nvpmodel.conf     the modes: take the ID of MAXN_SUPER, else of MAXN
       sudo nvpmodel -m ID
       sudo jetson_clocks

   The fastest is not always 0: of an Orin Nano with JetPack 6.2, 0 is 15 W and 2 is MAXN_SUPER."""
_CPU_CLOCK = """\
       echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor
   Until the next start. A virtual machine has no such files; its host decides."""
_PI_CLOCK = """
   On a Raspberry Pi, `vcgencmd get_throttled` must say 0x0 after a run: else its power supply or
   its cooling holds it back."""


def text(
    bundle: Bundle,
    manifest: Manifest,
    words: str,
    version: str,
    cuda: Mapping[str, int],
    whole: bool,
) -> str:
    """The page.

    words: what wn-run is given; version: wavestep's; cuda: the Pythons whose requirements have what
    the cuda engine needs; whole: whether all wheels are in it.
    """
    path, systems, pythons = bundle.path, bundle.systems, bundle.pythons
    head = f"{manifest.name} for {bundle.title}"
    code = "\n".join(f"       model/{each.file}" for each in code_artifacts(manifest))
    clock = _JETSON_CLOCK if bundle.jetson else _CPU_CLOCK
    clock += _PI_CLOCK if any("Raspberry" in each.title for each in systems) else ""
    install = "sh install.sh" if whole else "sh install.sh --online"
    network = (
        "No network is used."
        if whole
        else "It needs a network: the packages could not be fetched when this was exported."
    )
    words = f" {words}" if words else ""
    folder = shlex.quote(path.stem if path.suffix == TAR else path.name)
    return f"""{head}
{"=" * len(head)}

Made by wavestep {version}, for:

{_systems(systems, pythons)}

Python itself is all that must be there: no compiler, no pip, no root but for step 3.

1. Copy it to the device, and go there:

       {copy(path)}
       ssh USER@DEVICE
       cd {folder}

2. Install, into the folder env/:

       {install}

   It checks every file against its SHA-256, and makes a virtual environment. {network}
   These files are machine code, compiled where this was exported. None is run before you say so,
   and what you say holds for these very bytes and for you alone:

{code}

   If you know who made them:

       {install} --trust

3. Let the clocks be as high as they go:

{clock}

4. Run:

       env/bin/wn-run model{words} -o out.wav

5. Prove that what runs here is the model that was trained, against what PyTorch predicted:

       env/bin/wn-parity model

   Rows of `native` are the engine compiled for this device{_proven(manifest)}.
   An engine that is not here (onnx, tensorrt) is named with what it lacks; nothing is wrong then.

6. Measure; wn-run takes the fastest from then on:

       env/bin/wn-bench model
{_gpu(bundle, words, cuda)}
When it is not as it should be: env/bin/wn-doctor says what is missing and how to get it, and
env/bin/wn-inspect model whether every file is whole and which of the code is trusted.
The environment does not move: where the folder has got another place, run install.sh again. To be
rid of it all, delete the folder.
"""


def copy(path: Path) -> str:
    """How it comes to the device."""
    there = shlex.quote(str(path))
    if path.suffix == TAR:
        return f"ssh USER@DEVICE tar xf - < {there}"
    return f"scp -r {there} USER@DEVICE:"


def _systems(systems: tuple[System, ...], pythons: tuple[str, ...]) -> str:
    of = {
        python: " or ".join(each.title for each in systems if each.python == python)
        for python in pythons
    }
    return "\n".join(
        f"       Python {python}" + f"  {titles}" * bool(titles) for python, titles in of.items()
    )


def _proven(manifest: Manifest) -> str:
    precisions = {each.precision for each in manifest.artifacts if each.engine == NATIVE.name}
    if "fp32" not in precisions:
        return ""
    return (
        ": in fp32 it must make the samples\n   that PyTorch made, in the others stay within 0.01 "
        "bits per sample"
    )


def _gpu(bundle: Bundle, words: str, cuda: Mapping[str, int]) -> str:
    if not bundle.jetson:
        return ""
    systems = [each for each in bundle.systems if each.python in bundle.pythons]
    with_code = [each.title for each in systems if each.python in cuda]
    if not with_code:
        return (
            "\nThe GPU: its kernels are not in this bundle, as no NVRTC that fits was where it was "
            "exported.\n"
        )
    without = [each.title for each in systems if each.python not in cuda]
    word = (
        f"   Not on {' or '.join(without)}: its CUDA is older than that of the kernels.\n"
        if without
        else ""
    )
    return f"""
7. Many streams: the GPU, by kernels compiled ahead, on {" and ".join(with_code)}:

       env/bin/wn-run model{words} --engine cuda --batch 16 -o out.wav

{word}"""
