"""What `wn-run` needs to be heard: files, and a loudspeaker."""

from __future__ import annotations

from wn_runtime import installation, system_packages
from wn_runtime.doctor.finding import MISSING, OK, Finding
from wn_runtime.doctor.machine import Machine

_FILES = """
import json
import soundfile
print(json.dumps({"version": soundfile.__libsndfile_version__}))
"""

_OUTPUT = """
import json
import sounddevice
device = sounddevice.query_devices(kind="output")
print(json.dumps({"name": device["name"], "rate": device["default_samplerate"]}))
"""


def files(machine: Machine) -> Finding:
    """libsndfile, which writes WAV and FLAC."""
    found = machine.python(_FILES)
    if "error" in found:
        why = f"{found['error']}: only raw PCM (`--raw -`) can be written"
        library = system_packages.install(system_packages.SOUND_FILES, machine.which)
        fix = installation.pip("--force-reinstall", "soundfile")
        return Finding("audio files", MISSING, why, f"{fix}{f', or {library}' if library else ''}")
    return Finding("audio files", OK, f"libsndfile {found['version']}")


def output(machine: Machine) -> Finding:
    """The loudspeaker of `--play`."""
    found = machine.python(_OUTPUT)
    if "error" not in found:
        return Finding("audio output", OK, f"{found['name']}, {found['rate']:g} Hz")
    if "No module named 'sounddevice'" in found["error"]:
        why, fix = "sounddevice is not installed", installation.install("play")
    elif "PortAudio library not found" in found["error"]:
        library = system_packages.install(system_packages.LOUDSPEAKER, machine.which)
        why, fix = "PortAudio is not installed", library or "install the library PortAudio"
    else:
        why, fix = found["error"], "attach one, or write a file with -o"
    return Finding("audio output", MISSING, f"{why}: no `wn-run --play`", fix)
