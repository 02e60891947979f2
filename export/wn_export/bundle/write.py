"""Writes a bundle.

out/
README.txt       numbered steps, for this target
install.sh       what a shell on the device runs
model/           the model directory, with the code for this device and no other
wheels/          wavestep's own wheel, and where an index could be reached all that it needs
requirements/    a file a Python: every package to the version, with the SHA-256 of its wheels
SHA256SUMS       of all of these; install.sh has the SHA-256 of it
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from wn_export.bundle import page, pins, place, wheels
from wn_export.bundle.bundle import Bundle
from wn_export.bundle.example import Example, example
from wn_export.bundle.for_device import cuda_of, for_device
from wn_export.bundle.own_wheel import own_wheel
from wn_runtime import temporary
from wn_runtime.engines.native.kind import NATIVE
from wn_runtime.errors import WavestepError
from wn_runtime.model import manifest as manifests
from wn_runtime.model.manifest import Manifest
from wn_runtime.model.package import ModelPackage

Say = Callable[[str], None]
Contents = dict[str, bytes | Path]
INSTALLER = Path(__file__).parent / place.INSTALL


def write(bundle: Bundle, directory: Path, say: Say) -> None:
    """Make the bundle of a model directory that was exported for its target.

    Raises WavestepError; the directory is complete all the same, and what was at the bundle's
    path stays as it was.
    """
    package = ModelPackage(directory)
    package.verify()
    manifest = for_device(package.manifest, bundle)
    if not any(artifact.engine == NATIVE.name for artifact in manifest.artifacts):
        raise WavestepError(
            f"no bundle, as nothing was compiled for {bundle.machine} (why, is said above); "
            f"{directory} is complete"
        )
    try:
        with temporary.folder() as folder:
            note = _write(bundle, package, manifest, folder, say)
    except BrokenPipeError:  # of stdout: nobody reads any more what is said
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise WavestepError(
            f"{bundle.path} cannot be written: {error.strerror or error}{where}; {directory} is "
            "complete, and what was at that path is as it was"
        ) from error
    if note:
        say(note)
    say(f"next     {page.copy(bundle.path)}, then as README.txt in it says")


def _write(
    bundle: Bundle, package: ModelPackage, manifest: Manifest, folder: Path, say: Say
) -> str | None:
    """Returns what is to be said where the wheels could not be fetched."""
    cuda = cuda_of(manifest, bundle)
    requirements = {python: pins.lines(python, cuda.get(python)) for python in bundle.pythons}
    given = example(package)
    contents: Contents = {f"model/{name}": package.directory / name for name in manifest.files}
    manifests.write(folder, manifest)
    contents[f"model/{manifests.MANIFEST}"] = folder / manifests.MANIFEST
    note = None
    fetched: list[Path] = []
    try:
        fetched = wheels.fetch(requirements, bundle.machine, folder)
    except wheels.NoWheels as reason:
        note = (
            f"wheels   only wavestep's own: the others could not be fetched ({reason}); the device "
            "needs a network, and sh install.sh --online"
        )
    contents |= {f"wheels/{wheel.name}": wheel for wheel in fetched}
    name, own = own_wheel()
    contents[f"wheels/{name}"] = own
    version = name.split("-")[1]
    pin = f"wavestep=={version} --hash=sha256:{place.digest(own)}"
    for python, lines in requirements.items():
        contents[f"requirements/{python}.txt"] = "\n".join([pin, *lines, ""]).encode()
    contents |= given.files
    steps = page.text(bundle, manifest, given.words, version, cuda, whole=bool(fetched))
    contents["README.txt"] = steps.encode()
    sealed = _sealed(bundle, contents, given)
    place.put(bundle.path, sealed)
    size = sum(_size(each) for each in sealed.values()) / 1e6
    these = f"{bundle.machine}, Python {', '.join(bundle.pythons)}"
    say(f"bundle   {bundle.path}  for {these}  ({size:.1f} MB)")
    return note


def _sealed(bundle: Bundle, contents: Mapping[str, bytes | Path], given: Example) -> Contents:
    """With the sums first, and an install.sh that knows them."""
    names = sorted(contents)
    sums = "".join(f"{place.digest(contents[name])}  {name}\n" for name in names).encode()
    values = {
        "MACHINE": bundle.machine,
        "PYTHONS": " ".join(bundle.pythons),
        "GLIBC": ".".join(str(part) for part in pins.GLIBC),
        "SUMS": place.digest(sums),
        "SAY": shlex.quote(given.words),
    }
    script = INSTALLER.read_text("utf-8")
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    sealed: Contents = {place.SUMS: sums, place.INSTALL: script.encode()}
    return sealed | {name: contents[name] for name in names}


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
